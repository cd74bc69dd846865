import { ContextKey } from '../../call/index.ts'
import { Assembly } from '../../trace/blocks.ts'
import { type CallTree, callTree, type Trace } from '../../trace/index.ts'
import type { LogOwner } from '../../trace/records.ts'
import type { Aliases } from './alias.ts'
import { packTrace } from './pack.ts'
import type { Scope } from './scope.ts'
import { askedCall, viewOf } from './view.ts'

/** The visit of somebody outside to which a call belongs; who handles the call gives it the trace. */
export const VISIT = new ContextKey<Visit>('visit')

/** What a finished call leaves of itself, for whoever may see it. */
interface Left {
  readonly piece: Uint8Array
  readonly owner: LogOwner
  readonly flags: string
  /** Call id of the visitor's own call, whose trace was continued. */
  readonly parent: string | undefined
}

/** HTTP: what a header of ours may take (`docs/format.md`), and what fits into it as base64url. */
const HEADER_BYTES = (8 * 1024 * 3) / 4
const NOTHING: Readonly<Record<string, string>> = Object.freeze({})

/**
 * One call by somebody outside, and what its reply may show them. The view is made of what the call
 * itself holds when it is answered, which is bounded; what travels around replies is not waited for.
 */
export class Visit {
  readonly scope: Scope
  readonly #aliases: Aliases
  #left: Left | undefined

  constructor(scope: Scope, aliases: Aliases) {
    this.scope = scope
    this.#aliases = aliases
  }

  /** False when nobody will look: then nothing needs to be recorded for them. */
  get looks(): boolean {
    return this.scope !== 'none'
  }

  /** The call has been answered. The piece is as it goes to the root's inbox. */
  leave(left: Left): void {
    this.#left = left
  }

  /**
   * Headers for an HTTP response: `server-timing`, `traceparent` and `clew-trace`. Never throws: what
   * cannot be shown is left out.
   */
  headers(): Readonly<Record<string, string>> {
    try {
      return this.#headers()
    } catch {
      return NOTHING
    }
  }

  #headers(): Readonly<Record<string, string>> {
    const left = this.#left
    if (left === undefined || !this.looks) return NOTHING
    const trace = traceOf(left)
    const tree = callTree(trace)
    const view = this.#view(trace, tree, left)
    if (view === undefined) return NOTHING
    return {
      'server-timing': this.#timing(tree),
      traceparent: `00-${view.id}-${left.owner.callId}-${left.flags}`,
      ...this.#traceHeader(view, trace, tree, left),
    }
  }

  /** The block that may ride behind a reply, of at most so many bytes. */
  block(maxBytes: number): Uint8Array | undefined {
    const left = this.#left
    if (left === undefined || !this.looks) return undefined
    const trace = traceOf(left)
    const view = this.#view(trace, callTree(trace), left)
    return view && packTrace(view, { maxBytes, form: 'block' })
  }

  #view(trace: Trace, tree: CallTree, left: Left, scope = this.scope): Trace | undefined {
    // Who brought the trace's id knows it already.
    const traceId = left.parent === undefined ? undefined : trace.id
    return viewOf(trace, { scope, aliases: this.#aliases, call: left.owner.callId, traceId }, tree)
  }

  #traceHeader(
    view: Trace,
    trace: Trace,
    tree: CallTree,
    left: Left,
  ): Readonly<Record<string, string>> {
    const whole = this.scope === 'full' && left.piece.length <= HEADER_BYTES
    const bytes = whole ? left.piece : this.#packed(view, trace, tree, left)
    return bytes === undefined
      ? NOTHING
      : { 'clew-trace': Buffer.from(bytes).toString('base64url') }
  }

  /** As much of the view as fits; at least its total. */
  #packed(view: Trace, trace: Trace, tree: CallTree, left: Left): Uint8Array | undefined {
    const { parent } = left
    const options = { maxBytes: HEADER_BYTES, form: 'piece', parent } as const
    const packed = packTrace(view, options)
    if (packed !== undefined) return packed
    const total = this.#view(trace, tree, left, 'total')
    return total && packTrace(total, options)
  }

  #timing(tree: CallTree): string {
    const root = askedCall(tree.root)
    const total = root?.handleMs ?? root?.totalMs ?? 0
    if (this.scope === 'total') return `total;dur=${Math.round(total)}`
    const self = root?.selfMs ?? total
    const rounded = (ms: number) => Number(ms.toFixed(3))
    return `total;dur=${rounded(total)}, self;dur=${rounded(self)}, wait;dur=${rounded(total - self)}`
  }
}

function traceOf({ piece, owner }: Left): Trace {
  const assembly = new Assembly(owner.traceId)
  assembly.addPiece(piece)
  return assembly.finish()
}
