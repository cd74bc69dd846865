import type { CallNode } from './call-node.ts'
import type { Edge, Entry, Fold } from './entry.ts'
import { MAX_CALLS } from './format.ts'
import type { Problems } from './problems.ts'

/** The entries of one execution: a request that is delivered twice has two. */
export interface Delivery {
  receive: Entry | undefined
  start: Entry | undefined
  respond: Entry | undefined
}

/** Where calls have to lie, on the root's clock, and what their caller's clock lacks to it. */
export interface Room {
  readonly shiftMs: number
  readonly fromMs: number
  readonly toMs: number
}

/** Nothing, for all who have nothing: of a million calls most make none, and lists take room even when empty. */
export const NONE = Object.freeze([] as never[]) as never[]

/** A call while its tree is put together. There may be a million, so it has no lists of its own until needed. */
export class Making {
  readonly id: string
  readonly placeholder: boolean
  service: string
  method: string
  edge: Edge = 'call'
  attempt = 1
  seq: number | undefined
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
  /** One of the calls that it is connected to so far; undefined for the first of them. */
  connected: Making | undefined
  /** When it was first heard of, on whatever clock. */
  firstMs = Number.POSITIVE_INFINITY
  /** Where it lies in the picture, milliseconds since 1970 on the root's clock. */
  beginMs = 0
  endMs = 0
  /** What brings the callee's clock to the root's. */
  shiftMs = 0
  /** How far the legs there and back may be from the truth; undefined where nothing tells. */
  legErrorMs: number | undefined
  /** Where its own calls have to lie. */
  inside: Room | undefined
  /** What it became in the tree. */
  made: CallNode | undefined

  constructor(id: string, service: string, method: string, placeholder = false) {
    this.id = id
    this.service = service
    this.method = method
    this.placeholder = placeholder
  }

  /** All executions. */
  get deliveries(): readonly Delivery[] {
    return this.delivery === undefined ? NONE : [this.delivery, ...this.others]
  }
}

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
  for (const entry of entries) {
    let call = byId.get(entry.id)
    if (call === undefined) {
      if (calls.length >= MAX_CALLS) {
        if (entry.kind === 'rpc-request') leftOut++
        continue
      }
      call = new Making(entry.id, entry.service, entry.method)
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
    if (isEarlier(entry, call.request)) takeRequest(call, entry)
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

function takeRequest(call: Making, entry: Entry): void {
  call.request = entry
  call.edge = entry.edge ?? 'call'
  call.attempt = entry.attempt ?? 1
  call.seq = Number.isFinite(entry.seq) ? entry.seq : undefined
}

const MOMENTS = {
  'rpc-receive': 'receive',
  'rpc-start': 'start',
  'rpc-respond': 'respond',
} as const

/** An execution of which one moment is known. */
function deliveryOf(moment: keyof Delivery, entry: Entry): Delivery {
  // Written out, or each would get a shape of its own.
  return {
    receive: moment === 'receive' ? entry : undefined,
    start: moment === 'start' ? entry : undefined,
    respond: moment === 'respond' ? entry : undefined,
  }
}

/** Most executions of one call that are told apart: beyond, entries count as duplicates. */
const MOST_DELIVERIES = 1_000

/** Puts a callee's entry to the execution it is of. */
function deliver(call: Making, entry: Entry, problems: Problems): void {
  const moment = MOMENTS[entry.kind as keyof typeof MOMENTS]
  const first = call.delivery
  if (first === undefined) {
    call.delivery = deliveryOf(moment, entry)
    return
  }
  if (call.others.length === 0 && first[moment] === undefined && isSamePlace(first, entry)) {
    first[moment] = entry
    return
  }
  const same = call.deliveries.filter((delivery) => isSamePlace(delivery, entry))
  const free = same.findLast((delivery) => delivery[moment] === undefined)
  if (free !== undefined) {
    free[moment] = entry
    return
  }
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
    call.others = [...call.others, deliveryOf(moment, entry)]
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
