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
  tellFirstTimes(parentsFirst(root))
  for (const call of places) sortCalls(call)
  return { root, order: parentsFirst(root) }
}

/** Lists of one are as short as they look: one that a first thing is put into has room for 17. */
function added<T>(list: T[], more: T): T[] {
  if (list.length === 0) return [more]
  list.push(more)
  return list
}

function parentsFirst(root: Making): Making[] {
  const order = [root]
  for (let index = 0; index < order.length; index++) {
    for (const call of order[index]!.calls) order.push(call)
  }
  return order
}

/** One call for all that are connected with each other. */
function firstConnected(call: Making): Making {
  let first = call
  for (let next = first.connected; next !== undefined; next = first.connected) {
    // Halving the way keeps later walks short, whatever the shape of the input.
    if (next.connected !== undefined) first.connected = next.connected
    first = next
  }
  return first
}

/** Connects both; false when they are connected already, so that an edge would close a circle. */
function connect(call: Making, parent: Making): boolean {
  const [a, b] = [firstConnected(call), firstConnected(parent)]
  if (a === b) return false
  a.connected = b
  return true
}

function linkByIds(places: Making[], byId: Map<string, Making>, problems: Problems): void {
  const { length } = places
  for (let at = 0; at < length; at++) {
    const call = places[at]!
    const { parentId } = call
    if (parentId === null || parentId === undefined) continue
    let parent = byId.get(parentId)
    if (parent === undefined) {
      parent = new Making(parentId, 'unknown', 'lost call', true)
      byId.set(parentId, parent)
      places.push(parent)
      problems.add('orphan', 'no entry of this call came, but of calls below it', parentId)
    }
    if (connect(call, parent)) call.parent = parent
    else problems.add('cycle', 'is above its own parent: it was cut off there', call.id)
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
        relay = new Making(`relay:${key}`, service, method, true)
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
  return (
    parent?.edge === 'call' && parent.service === first?.service && parent.method === first.method
  )
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
      const entry = delivery.receive ?? delivery.start ?? delivery.respond
      const { service, method } = entry ?? call
      const extra = new Making(`${call.id}#${index + 1}`, service, method)
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
  const root = new Making('', 'unknown', tops.length === 0 ? 'no call' : 'several calls', true)
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
    const time = stamp(call.request) ?? stamp(call.delivery?.receive)
    if (time !== undefined) call.firstMs = time
    const above = call.parent
    if (above?.placeholder) above.firstMs = Math.min(above.firstMs, call.firstMs)
  }
}

/** In order of request: by position where all tell theirs, else by time. */
function sortCalls({ calls }: Making): void {
  if (calls.length < 2) return
  const byTime = (a: Making, b: Making) =>
    a.firstMs < b.firstMs ? -1 : a.firstMs > b.firstMs ? 1 : 0
  if (calls.every((child) => child.seq !== undefined)) {
    calls.sort((a, b) => a.seq! - b.seq! || byTime(a, b))
  } else {
    calls.sort(byTime)
  }
}
