import type { TraceProblem } from './call-node.ts'

/** Problems of one kind that are told one by one; more of the same are counted only. */
const MOST_OF_A_KIND = 50

/** Collects what was odd, bounded whatever the input. */
export class Problems {
  readonly #list: TraceProblem[] = []
  readonly #counts = new Map<TraceProblem['kind'], number>()

  add(kind: TraceProblem['kind'], message: string, callId?: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (count > MOST_OF_A_KIND) return
    this.#list.push(callId === undefined ? { kind, message } : { kind, message, callId })
  }

  list(): readonly TraceProblem[] {
    const more: TraceProblem[] = []
    for (const [kind, count] of this.#counts) {
      if (count <= MOST_OF_A_KIND) continue
      more.push({ kind, message: `${count - MOST_OF_A_KIND} more of kind ${kind}` })
    }
    return [...this.#list, ...more]
  }
}
