import {
  type CallNode,
  type CallTree,
  callTree,
  criticalPath,
  type Trace,
} from '../../trace/index.ts'
import { ListMark, pieces, type TraceWriter } from './writer.ts'

/** Frames get numbers in order of their first use; the list of them closes the document. */
class Frames {
  readonly names: string[] = []
  readonly #numbers = new Map<string, number>()

  of(name: string): number {
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.names.length
      this.#numbers.set(name, number)
      this.names.push(name)
    }
    return number
  }
}

/** What a call waited for outside of its callee. */
const NETWORK = '(network and queue)'

/**
 * Speedscope's own format (its `file-format-schema.json`), two profiles of each trace. *Work*: the time of
 * each call itself, calls that ran side by side one after the other, because a flame graph has one
 * track; so times of its own are exact and add up, and its axis is no clock. *Critical path*: what the
 * root's answer waited for at each moment, on the clock.
 */
export function speedscopeWriter(): TraceWriter {
  const mark = new ListMark(
    '{"$schema":"https://www.speedscope.app/file-format-schema.json","profiles":[',
  )
  const frames = new Frames()
  return {
    *write(trace, tree = callTree(trace)) {
      const name = `${nameOf(tree.root)} ${tree.traceId.slice(0, 8)}`.trim()
      yield mark.next()
      yield* profile(`${name}: work`, work(tree, frames))
      yield mark.next()
      yield* profile(`${name}: critical path`, path(tree, frames))
    },
    *end() {
      yield `${mark.rest()}],"shared":{"frames":[`
      let comma = '\n'
      for (const name of frames.names) {
        yield comma + JSON.stringify({ name })
        comma = ',\n'
      }
      yield ']},"exporter":"clew"}\n'
    },
  }
}

export const encodeSpeedscope = (traces: Iterable<Trace>): Generator<string> =>
  pieces(speedscopeWriter(), traces)

interface Event {
  readonly type: 'O' | 'C'
  readonly frame: number
  readonly at: number
}

/** Its end is known last, and its key may stand anywhere. */
function* profile(name: string, events: Iterable<Event>): Generator<string> {
  yield `{"type":"evented","name":${JSON.stringify(name)},"unit":"milliseconds","startValue":0,"events":[`
  let comma = '\n'
  let end = 0
  for (const { type, frame, at } of events) {
    yield `${comma}{"type":"${type}","frame":${frame},"at":${at}}`
    comma = ',\n'
    end = at
  }
  yield `],"endValue":${end}}`
}

const nameOf = ({ service, method }: CallNode) => `${service}.${method}`

/** Depth first, without recursion: the calls below are taken from a list in each open call. */
function* work({ root }: CallTree, frames: Frames): Generator<Event> {
  let at = 0
  const open: { readonly call: CallNode; readonly frame: number; next: number }[] = []
  function* enter(call: CallNode): Generator<Event> {
    const frame = frames.of(nameOf(call))
    yield { type: 'O', frame, at }
    const network = positive(call.networkMs)
    if (network > 0 && call.handleMs !== undefined) {
      const waiting = frames.of(NETWORK)
      yield { type: 'O', frame: waiting, at }
      at += network
      yield { type: 'C', frame: waiting, at }
    }
    at += call.handleMs === undefined ? ownOfCaller(call) : positive(call.selfMs)
    open.push({ call, frame, next: 0 })
  }
  yield* enter(root)
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const child = top.call.calls[top.next++]
    if (child !== undefined) {
      yield* enter(child)
    } else {
      yield { type: 'C', frame: top.frame, at }
      open.pop()
    }
  }
}

const positive = (ms: number | undefined) => (ms !== undefined && ms > 0 ? ms : 0)

/** A callee that keeps no entries: all of its time is its own, but for what calls below it tell. */
function ownOfCaller(call: CallNode): number {
  return call.placeholder || call.calls.length > 0 ? positive(call.selfMs) : positive(call.totalMs)
}

/** From each segment to the next, calls are left and entered that do not hold both. */
function* path(tree: CallTree, frames: Frames): Generator<Event> {
  const segments = criticalPath(tree)
  const above = parentsOf(tree.root)
  const open: CallNode[] = []
  const isOpen = new Set<CallNode>()
  let at = 0
  function* leave(until: CallNode | undefined): Generator<Event> {
    while (open.length > 0 && open.at(-1) !== until) {
      const call = open.pop()!
      isOpen.delete(call)
      yield { type: 'C', frame: frames.of(nameOf(call)), at }
    }
  }
  for (const { call, startMs, endMs } of segments) {
    at = Math.max(at, startMs)
    const way: CallNode[] = []
    let place: CallNode | undefined = call
    for (; place !== undefined && !isOpen.has(place); place = above.get(place)) way.push(place)
    yield* leave(place)
    for (const entered of way.reverse()) {
      open.push(entered)
      isOpen.add(entered)
      yield { type: 'O', frame: frames.of(nameOf(entered)), at }
    }
    at = Math.max(at, endMs)
  }
  yield* leave(undefined)
}

function parentsOf(root: CallNode): ReadonlyMap<CallNode, CallNode> {
  const parents = new Map<CallNode, CallNode>()
  const left = [root]
  for (let call = left.pop(); call !== undefined; call = left.pop()) {
    for (const child of call.calls) {
      parents.set(child, call)
      left.push(child)
    }
  }
  return parents
}
