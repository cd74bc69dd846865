import type { CallNode } from './call-node.ts'
import type { TwoSided } from './clocks/bounds.ts'
import type { CallName, Edge, Entry, Fold, Status } from './entry.ts'
import { MAX_CALLS } from './format.ts'
import type { Problems } from './problems.ts'

/** The entries of one execution: a request that is delivered twice has two. */
export interface Delivery {
  receive: Entry | undefined
  start: Entry | undefined
  respond: Entry | undefined
}

/** Nothing, for all who have nothing: of a million calls most make none, and lists take room even when empty. */
export const NONE = Object.freeze([] as never[]) as never[]

/**
 * A call while its tree is put together. There may be a million, so it has no lists of its own until
 * needed, no numbers with fractions, which are objects of their own, and nothing that entries tell.
 */
export class Making implements TwoSided {
  readonly id: string
  /** Its first entry, or what it is called where it has none. */
  readonly named: CallName
  readonly placeholder: boolean
  edge: Edge = 'call'
  request: Entry | undefined
  finish: Entry | undefined
  delivery: Delivery | undefined
  /** Executions beside the first. */
  others: readonly Delivery[] = NONE
  /** As entries say: undefined where none says anything. */
  parentId: string | null | undefined
  /** As brackets say, or where the tree has settled it. */
  parent: Making | undefined
  calls: Making[] = NONE
  folds: Fold[] = NONE
  /** Calls that are missing for good, and those in pieces that had not come at first. */
  missingCalls = 0
  lostCalls = 0
  /** Something of it, or below it, could not be read or did not fit. */
  damaged = false
  /** A further execution of the call above it, not a call of its own. */
  again = false
  /** Its position: first among those gathered, then in the order in which the tree is made. */
  at: number
  /** Of a placeholder: when the first below it was heard of, on whatever clock. */
  firstMs: number | undefined
  /** What it became in the tree. */
  made: CallNode | undefined

  constructor(id: string, named: CallName, at: number, placeholder = false) {
    this.id = id
    this.named = named
    this.at = at
    this.placeholder = placeholder
  }

  /** All executions. */
  get deliveries(): readonly Delivery[] {
    return this.delivery === undefined ? NONE : [this.delivery, ...this.others]
  }

  get seq(): number | undefined {
    const seq = this.request?.seq
    return Number.isFinite(seq) ? seq : undefined
  }

  get requestMs(): number | undefined {
    return stamp(this.request)
  }

  get receiveMs(): number | undefined {
    return stamp(this.delivery?.receive)
  }

  get respondMs(): number | undefined {
    return stamp(this.delivery?.respond)
  }

  get finishMs(): number | undefined {
    return stamp(this.finish)
  }

  get callerStatus(): Status | undefined {
    return ending(this.finish)
  }

  get calleeStatus(): Status | undefined {
    return ending(this.delivery?.respond)
  }

  get late(): boolean {
    return this.delivery?.respond?.late === true
  }

  /** Where the caller ran. */
  get callerHost(): string | undefined {
    return (this.request ?? this.finish)?.host
  }

  /** Where its method ran. */
  get host(): string | undefined {
    return (this.delivery?.receive ?? this.delivery?.respond)?.host
  }
}

const ending = (entry: Entry | undefined) =>
  entry === undefined ? undefined : (entry.status ?? 'ok')

/** A stamp that can be reckoned with. */
export function stamp(entry: Entry | undefined): number | undefined {
  return entry !== undefined && Number.isFinite(entry.timeMs) ? entry.timeMs : undefined
}

export interface GatheredCalls {
  /** In order of their first entry. */
  readonly calls: Making[]
  readonly byId: Map<string, Making>
  /** True when at least one entry names its parent: then brackets mean nothing. */
  readonly byParents: boolean
  /** Calls left out because they were too many. */
  readonly leftOut: number
}

/** Collects entries by call. Duplicates are dropped, further deliveries kept apart. */
export function gatherCalls(entries: readonly Entry[], problems: Problems): GatheredCalls {
  const byId = new Map<string, Making>()
  const calls: Making[] = []
  const byParents = entries.some((entry) => entry.parent !== undefined)
  const brackets = byParents ? undefined : new Brackets(problems)
  let leftOut = 0
  let call: Making | undefined
  for (const entry of entries) {
    // Most entries follow one of their own call.
    if (call?.id !== entry.id) call = byId.get(entry.id)
    if (call === undefined) {
      if (calls.length >= MAX_CALLS) {
        if (entry.kind === 'rpc-request') leftOut++
        continue
      }
      call = new Making(entry.id, entry, calls.length)
      byId.set(entry.id, call)
      calls.push(call)
      brackets?.begin(call, entry)
    }
    add(call, entry, problems)
    brackets?.step(call, entry)
  }
  if (leftOut > 0) problems.add('limit', `${leftOut} calls beyond the first ${MAX_CALLS} left out`)
  return { calls, byId, byParents, leftOut }
}

function add(call: Making, entry: Entry, problems: Problems): void {
  if (call.parentId === undefined || entry.kind === 'rpc-request') {
    if (entry.parent !== undefined) call.parentId = entry.parent
  }
  if (entry.kind === 'rpc-request') {
    if (call.request !== undefined) problems.add('duplicate', 'request seen twice', call.id)
    if (isEarlier(entry, call.request)) {
      call.request = entry
      call.edge = entry.edge ?? 'call'
    }
  } else if (entry.kind === 'rpc-finish') {
    if (call.finish !== undefined) problems.add('duplicate', 'finish seen twice', call.id)
    call.finish ??= entry
  } else {
    if (entry.edge !== undefined && call.request === undefined) call.edge = entry.edge
    deliver(call, entry, problems)
  }
}

const isEarlier = (entry: Entry, known: Entry | undefined) =>
  known === undefined || !(known.timeMs <= entry.timeMs)

/** Puts an entry where it belongs; false where there is one already. */
function put(delivery: Delivery, entry: Entry): boolean {
  if (entry.kind === 'rpc-receive') {
    if (delivery.receive !== undefined) return false
    delivery.receive = entry
  } else if (entry.kind === 'rpc-respond') {
    if (delivery.respond !== undefined) return false
    delivery.respond = entry
  } else {
    if (delivery.start !== undefined) return false
    delivery.start = entry
  }
  return true
}

const MOMENTS = {
  'rpc-receive': 'receive',
  'rpc-start': 'start',
  'rpc-respond': 'respond',
} as const

/** An execution of which one moment is known. */
function deliveryOf(entry: Entry): Delivery {
  const delivery = { receive: undefined, start: undefined, respond: undefined }
  put(delivery, entry)
  return delivery
}

/** Most executions of one call that are told apart: beyond, entries count as duplicates. */
const MOST_DELIVERIES = 1_000

/** Puts a callee's entry to the execution it is of. */
function deliver(call: Making, entry: Entry, problems: Problems): void {
  const first = call.delivery
  if (first === undefined) {
    call.delivery = deliveryOf(entry)
    return
  }
  if (call.others.length === 0 && isSamePlace(first, entry) && put(first, entry)) return
  const same = call.deliveries.filter((delivery) => isSamePlace(delivery, entry))
  if (same.findLast((delivery) => put(delivery, entry)) !== undefined) return
  const moment = MOMENTS[entry.kind as keyof typeof MOMENTS]
  const twin = same.find((delivery) => delivery[moment]?.timeMs === entry.timeMs) ?? same[0]
  // A message that is tried again comes to the same handler, anew each time.
  const retried = entry.redelivered === true || (call.edge === 'event' && entry.edge === 'event')
  const again = entry.kind === 'rpc-receive' && retried
  const known = twin?.[moment]
  const copy = known !== undefined && (known.timeMs === entry.timeMs || !again)
  if (twin !== undefined && (copy || call.others.length >= MOST_DELIVERIES - 1)) {
    problems.add('duplicate', `${moment} seen twice`, call.id)
    if (moment !== 'respond' && isEarlier(entry, twin[moment])) twin[moment] = entry
    return
  }
  if (call.others.length < MOST_DELIVERIES - 1) {
    call.others = [...call.others, deliveryOf(entry)]
  }
}

function isSamePlace(delivery: Delivery, entry: Entry): boolean {
  const known = delivery.receive ?? delivery.start ?? delivery.respond
  return known !== undefined && known.host === entry.host && known.pid === entry.pid
}

/** A place in a stack from whose middle things can be taken. */
interface Link {
  readonly call: Making
  below: Link | undefined
  above: Link | undefined
}

class Pile {
  top: Link | undefined
  readonly #links = new Map<Making, Link>()

  push(call: Making): void {
    const link: Link = { call, below: this.top, above: undefined }
    if (this.top !== undefined) this.top.above = link
    this.top = link
    this.#links.set(call, link)
  }

  /** Takes the call out wherever it lies; false when it was not on top, undefined when not in. */
  remove(call: Making): boolean | undefined {
    const link = this.#links.get(call)
    if (link === undefined) return undefined
    this.#links.delete(call)
    if (link.below !== undefined) link.below.above = link.above
    if (link.above !== undefined) link.above.below = link.below
    else this.top = link.below
    return link.above === undefined
  }
}

/**
 * The paper's grammar: who was called by whom, told by nesting alone. A call can only have made
 * others between its receive and its respond, so a request belongs to the innermost call that is
 * in between, and calls that wait side by side are siblings even where their entries interleave.
 */
class Brackets {
  readonly #problems: Problems
  /** Begun and not finished. */
  readonly #waiting = new Pile()
  /** Received and not responded. */
  readonly #working = new Pile()

  constructor(problems: Problems) {
    this.#problems = problems
  }

  begin(call: Making, entry: Entry): void {
    call.parent = (this.#working.top ?? this.#waiting.top)?.call
    if (entry.kind === 'rpc-request' || entry.kind === 'rpc-receive') this.#waiting.push(call)
  }

  step(call: Making, entry: Entry): void {
    if (entry.kind === 'rpc-receive' && call.others.length === 0) {
      if (call.delivery?.receive === entry && call.finish === undefined) {
        this.#working.push(call)
      }
    } else if (entry.kind === 'rpc-respond') {
      this.#working.remove(call)
      if (call.request === undefined) this.#waiting.remove(call)
    } else if (entry.kind === 'rpc-finish') {
      this.#working.remove(call)
      if (this.#waiting.remove(call) === false) {
        this.#problems.add('interleaved', 'finished before a call that began later', call.id)
      }
    }
  }
}
