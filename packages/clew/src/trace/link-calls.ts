import type { Relay, Trace } from './entry.ts'
import { type Delivery, type GatheredCalls, Making, NONE, stamp } from './gather-calls.ts'
import type { Problems } from './problems.ts'

/**
 * Connects calls to one tree.
 * @returns its root, and all places in an order in which parents come before their calls
 */
export function linkCalls(
  gathered: GatheredCalls,
  trace: Pick<Trace, 'folds' | 'missing' | 'relays'>,
  problems: Problems,
): { readonly root: Making; readonly order: Making[] } {
  const { byId } = gathered
  const places = gathered.calls
  if (gathered.byParents) linkByIds(places, byId, problems)
  putRelays(trace.relays, places, byId)
  splitDeliveries(places)
  const root = singleRoot(places, gathered.byParents, problems)
  for (const call of places) {
    const { parent } = call
    if (parent !== undefined && call !== root) parent.calls = added(parent.calls, call)
  }
  attachLosses(trace, byId, root)
  root.missingCalls += gathered.leftOut
  if (places.some(({ placeholder }) => placeholder)) tellFirstTimes(parentsFirst(root))
  for (const call of places) sortCalls(call.calls)
  return { root, order: parentsFirst(root) }
}

/** Lists of one are as short as they look: one that a first thing is put into has room for 17. */
function added<T>(list: T[], more: T): T[] {
  if (list.length === 0) return [more]
  list.push(more)
  return list
}

/** Each call before those below it, which follow it at once: as most entries came, and lie in memory. */
function parentsFirst(root: Making): Making[] {
  const order: Making[] = []
  const open = [root]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    call.at = order.length
    order.push(call)
    for (let last = call.calls.length - 1; last >= 0; last--) open.push(call.calls[last]!)
  }
  return order
}

function linkByIds(places: Making[], byId: Map<string, Making>, problems: Problems): void {
  const { length } = places
  let before: Making | undefined
  let upward = true
  for (let at = 0; at < length; at++) {
    const call = places[at]!
    const { parentId } = call
    if (parentId !== null && parentId !== undefined) {
      // Most calls follow their parent or a sibling.
      let parent =
        parentId === before?.id
          ? before
          : parentId === before?.parentId
            ? before.parent
            : byId.get(parentId)
      if (parent === undefined) {
        parent = new Making(parentId, LOST, places.length, true)
        byId.set(parentId, parent)
        places.push(parent)
        problems.add('orphan', 'no entry of this call came, but of calls below it', parentId)
      }
      call.parent = parent
      upward &&= parent.at < at || parent.placeholder
    }
    before = call
  }
  // There is no circle where each call but the placeholders, which have no parent, comes after its own.
  if (!upward) cutCircles(places, problems)
}

const LOST = { service: 'unknown', method: 'lost call' }

/** Takes away parents that would close a circle. */
function cutCircles(places: readonly Making[], problems: Problems): void {
  /** One of the calls that a call is connected to so far; itself for the first of them. */
  const connected = Int32Array.from(places, (_, at) => at)
  const firstOf = (call: number): number => {
    let first = call
    while (connected[first] !== first) {
      // Halving the way keeps later walks short, whatever the shape of the input.
      connected[first] = connected[connected[first]!]!
      first = connected[first]!
    }
    return first
  }
  for (const call of places) {
    if (call.parent === undefined) continue
    const [own, above] = [firstOf(call.at), firstOf(call.parent.at)]
    if (own !== above) connected[own] = above
    else {
      call.parent = undefined
      problems.add('cycle', 'is above its own parent: it was cut off there', call.id)
    }
  }
}

/** Puts the calls of peers that keep no entries between a call and its parent. */
function putRelays(
  relays: readonly Relay[],
  places: Making[],
  byId: ReadonlyMap<string, Making>,
): void {
  const known = new Map<string, Making>()
  const done = new Set<string>()
  for (const { below, path } of relays) {
    const call = byId.get(below)
    if (call === undefined || done.has(below)) continue
    done.add(below)
    for (const { service, method, id } of hasCallee(call.parent, path[0]) ? path.slice(1) : path) {
      const key = `${call.parent?.id ?? ''}/${id ?? `${service}.${method}`}`
      let relay = known.get(key)
      if (relay === undefined) {
        relay = new Making(`relay:${key}`, { service, method }, places.length, true)
        relay.parent = call.parent
        known.set(key, relay)
        places.push(relay)
      }
      call.parent = relay
    }
  }
}

/** True when the first relay is the callee of the parent's own call, which has its place already. */
function hasCallee(parent: Making | undefined, first: Relay['path'][number] | undefined): boolean {
  if (parent?.edge !== 'call') return false
  const { service, method } = parent.named
  return service === first?.service && method === first.method
}

/**
 * A call that ran more than once shows the execution that answered; every other one becomes a place
 * of its own below it. So does a message that its handler was given again, which shows the last. An
 * event that was published under the id of its handlers has them all below it.
 */
function splitDeliveries(places: Making[]): void {
  const splits = new Map<Making, Making[]>()
  for (const call of places.filter(({ others }) => others.length > 0)) {
    const published = call.edge === 'event' && call.request !== undefined
    const main = published ? undefined : answering(call)
    const rest = call.deliveries.filter((delivery) => delivery !== main)
    call.delivery = main
    call.others = NONE
    const extras = rest.map((delivery, index) => {
      const named = delivery.receive ?? delivery.start ?? delivery.respond ?? call.named
      const extra = new Making(`${call.id}#${index + 1}`, named, places.length)
      extra.edge = call.edge
      extra.parentId = call.id
      extra.parent = call
      extra.again = true
      extra.delivery = delivery
      return extra
    })
    splits.set(call, extras)
    for (const extra of extras) places.push(extra)
  }
  if (splits.size === 0) return
  for (const call of places) {
    const extras = call.again || call.parent === undefined ? undefined : splits.get(call.parent)
    if (extras !== undefined) call.parent = executionOf(call, [call.parent!, ...extras])
  }
}

function answering({ deliveries, edge }: Making): Delivery {
  const rank = edge === 'event' ? attemptRank : answerRank
  let best = deliveries[0]!
  for (const delivery of deliveries) if (rank(delivery) < rank(best)) best = delivery
  return best
}

/** The last attempt that ended; then those that did not. */
function attemptRank({ respond }: Delivery): number {
  return respond === undefined ? Number.POSITIVE_INFINITY : -(stamp(respond) ?? 0)
}

/** The earliest answer that was in time; then late ones, then executions without an answer. */
function answerRank({ respond }: Delivery): number {
  if (respond === undefined) return Number.POSITIVE_INFINITY
  return (stamp(respond) ?? 0) + (respond.late === true ? 2 ** 52 : 0)
}

/** Which execution made the call: one in the same process that had begun by then. */
function executionOf(call: Making, executions: readonly Making[]): Making {
  const { request } = call
  let found = executions[0]!
  let begun = Number.NEGATIVE_INFINITY
  for (const execution of executions) {
    const receive = execution.delivery?.receive
    if (request === undefined || receive === undefined) continue
    if (receive.host !== request.host || receive.pid !== request.pid) continue
    if (receive.timeMs <= request.timeMs && receive.timeMs > begun) {
      found = execution
      begun = receive.timeMs
    }
  }
  return found
}

function singleRoot(places: Making[], byParents: boolean, problems: Problems): Making {
  const tops = places.filter((call) => call.parent === undefined)
  const [only] = tops
  if (tops.length === 1 && only !== undefined) return only
  const roots = byParents ? tops.filter((call) => call.parentId === null) : tops
  if (roots.length === 1) {
    const root = roots[0]!
    for (const call of tops) {
      if (call === root) continue
      call.parent = root
      if (!call.placeholder) problems.add('orphan', 'nobody says who made this call', call.id)
    }
    return root
  }
  const method = tops.length === 0 ? 'no call' : 'several calls'
  const root = new Making('', { service: 'unknown', method }, places.length, true)
  if (tops.length === 0) problems.add('no_entries', 'there is no entry to build a tree of')
  else problems.add('several_roots', `${tops.length} calls that nobody here made`)
  for (const call of tops) call.parent = root
  places.push(root)
  return root
}

function attachLosses(
  trace: Pick<Trace, 'folds' | 'missing'>,
  byId: ReadonlyMap<string, Making>,
  root: Making,
): void {
  for (const fold of trace.folds) {
    const call = byId.get(fold.parent) ?? root
    call.folds = added(call.folds, fold)
  }
  for (const { parent, calls, reason } of trace.missing) {
    const call = byId.get(parent) ?? root
    const count = calls > 0 ? calls : 0
    if (reason === 'lost') call.lostCalls += count
    else call.missingCalls += count
    call.damaged ||= reason !== 'lost'
  }
}

function tellFirstTimes(order: readonly Making[]): void {
  for (let at = order.length - 1; at >= 0; at--) {
    const call = order[at]!
    const above = call.parent
    if (above?.placeholder) above.firstMs = Math.min(above.firstMs ?? Infinity, firstOf(call))
  }
}

/** When a call was first heard of, on whatever clock. */
function firstOf(call: Making): number {
  return call.requestMs ?? call.receiveMs ?? call.firstMs ?? Infinity
}

/** In order of request: by position where all tell theirs, else by time. */
function sortCalls(calls: Making[]): void {
  if (calls.length < 2 || isInSequence(calls)) return
  calls.sort(calls.every((call) => call.seq !== undefined) ? bySeq : byTime)
}

function isInSequence(calls: readonly Making[]): boolean {
  let before = -Infinity
  for (const { seq } of calls) {
    if (seq === undefined || seq <= before) return false
    before = seq
  }
  return true
}

const bySeq = (a: Making, b: Making) => a.seq! - b.seq! || byTime(a, b)

function byTime(a: Making, b: Making): number {
  const [first, second] = [firstOf(a), firstOf(b)]
  return first < second ? -1 : first > second ? 1 : 0
}
