import { nameOf } from '../analysis/walk.ts'
import type { CallNode } from '../call-node.ts'
import type { Edge } from '../entry.ts'

/** Where a method is called from: by whom, who called that in turn, and so on up to the root. */
export interface CallPath {
  /** Position in the table; a caller stands before whom it calls. */
  readonly index: number
  /** -1 for a root. */
  readonly parent: number
  readonly service: string
  readonly method: string
  readonly edge: Edge
  /** 0 for a root. */
  readonly depth: number
  /** Index of the path's root. */
  readonly root: number
  /** True where it stands for all that its caller called beyond the bound. */
  readonly others: boolean
}

/** Paths told apart; what else a caller calls is one path for each caller. */
export const MOST_PATHS = 10_000
const OTHERS = 'other calls'
/** Deeper calls count as other calls: nobody reads such a path. */
const DEEPEST = 256

/** Every call path that was seen, each once. */
export class PathTable {
  readonly #paths: CallPath[] = []
  readonly #indices = new Map<string, number>()

  get size(): number {
    return this.#paths.length
  }

  at(index: number): CallPath {
    return this.#paths[index]!
  }

  /** The path of a call below `parent`, which is -1 for a root. */
  enter(
    parent: number,
    call: Pick<CallNode, 'service' | 'method' | 'edge'> & { readonly others?: boolean },
  ): number {
    const above = parent < 0 ? undefined : this.#paths[parent]
    if (above?.others) return parent
    const { service, method, edge, others = false } = call
    const key = others ? `${parent}` : `${parent}\0${service}\0${method}`
    const known = this.#indices.get(key)
    if (known !== undefined) return known
    const depth = above === undefined ? 0 : above.depth + 1
    if (!others && (this.#paths.length >= MOST_PATHS || depth > DEEPEST)) {
      return this.enter(parent, { service: OTHERS, method: '', edge: 'call', others: true })
    }
    const index = this.#paths.length
    const root = above?.root ?? index
    this.#paths.push({ index, parent, service, method, edge, depth, root, others })
    this.#indices.set(key, index)
    return index
  }

  /** Enters all paths of another table. Returns for each of its indices the one here. */
  adopt(other: PathTable): readonly number[] {
    const here: number[] = []
    for (const path of other.#paths) {
      here.push(this.enter(path.parent < 0 ? -1 : here[path.parent]!, path))
    }
    return here
  }

  /** From the root down. */
  names(index: number): readonly string[] {
    const names: string[] = []
    for (let at = index; at >= 0; at = this.#paths[at]!.parent)
      names.push(pathName(this.#paths[at]!))
    return names.reverse()
  }
}

/** `service.method`, or what the others of a caller are called. */
export const pathName = (path: CallPath) => (path.others ? OTHERS : nameOf(path))
