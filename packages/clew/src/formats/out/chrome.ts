import { type CallNode, type CallTree, callTree, type Trace } from '../../trace/index.ts'
import { Lanes } from './lanes.ts'
import { ListMark, pieces, type TraceWriter } from './writer.ts'

/** One side of a call as a slice of the track of its process. Microseconds on the root's clock. */
interface Slice {
  readonly call: CallNode
  readonly caller: boolean
  readonly process: Process
  /** The slice around it, if it is of the same process. */
  readonly parent: Slice | undefined
  readonly from: number
  readonly to: number
  lane: number
}

interface Process {
  readonly pid: number
  readonly name: string
  readonly lanes: Lanes
  named: number
}

/**
 * Trace events as Perfetto and chrome://tracing open them (the Trace Event Format: complete events,
 * flows, metadata). A process is a service on a host; its threads are lanes, so that calls that run at the
 * same time do not overlap; an arrow leads from each caller's slice to its callee's. Times are those of the
 * picture: clocks of hosts that cannot be right are moved, durations are as measured.
 */
export function chromeWriter(): TraceWriter {
  const mark = new ListMark(
    '{"displayTimeUnit":"ms","otherData":{"generator":"clew"},"traceEvents":[',
  )
  const line = (event: object) => mark.next() + JSON.stringify(event)
  let processes = 0
  let traces = 0
  return {
    *write(trace, tree = callTree(trace)) {
      const known = new Map<string, Process>()
      const prefix = `${++traces}.`
      const slices = slicesOf(tree, (service, host, pid) => {
        const key = JSON.stringify([service, host, pid])
        let process = known.get(key)
        if (process === undefined) {
          const where = host === '' ? '' : ` on ${host}${pid === undefined ? '' : ` (${pid})`}`
          process = { pid: ++processes, name: service + where, lanes: new Lanes(), named: 0 }
          known.set(key, process)
        }
        return process
      })
      for (const { pid, name } of known.values()) yield line(processName(pid, name))
      // Of two that begin together, the longer goes around the other.
      slices.sort((a, b) => a.from - b.from || b.to - a.to)
      for (const slice of slices) {
        const { process, parent, from, to } = slice
        slice.lane = process.lanes.place(slice, parent, from, to)
        for (; process.named < process.lanes.count; ) {
          yield line(threadName(process.pid, ++process.named))
        }
        yield line(eventOf(slice, tree))
        const arrow = flowOf(slice, prefix + slice.call.id)
        if (arrow !== undefined) yield line(arrow)
      }
    },
    *end() {
      yield `${mark.rest()}]}\n`
    },
  }
}

export const encodeChrome = (traces: Iterable<Trace>): Generator<string> =>
  pieces(chromeWriter(), traces)

type ProcessOf = (service: string, host: string, pid: number | undefined) => Process

function slicesOf(tree: CallTree, processOf: ProcessOf): Slice[] {
  const slices: Slice[] = []
  const open: { readonly call: CallNode; readonly above: Slice | undefined }[] = [
    { call: tree.root, above: undefined },
  ]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { call, above } = next
    let below = above
    if (!call.placeholder) {
      const asked = askedSlice(call, above, tree, processOf)
      const done = doneSlice(call, asked ?? above, tree, processOf)
      if (asked !== undefined) slices.push(asked)
      if (done !== undefined) slices.push(done)
      below = done ?? asked ?? above
    }
    for (const child of call.calls) open.push({ call: child, above: below })
  }
  return slices
}

const sameProcess = (slice: Slice | undefined, process: Process) =>
  slice?.process === process ? slice : undefined

function askedSlice(
  call: CallNode,
  above: Slice | undefined,
  tree: CallTree,
  processOf: ProcessOf,
): Slice | undefined {
  const { requestMs, finishMs, callerHost, from, offsetMs } = call
  if (requestMs === undefined && finishMs === undefined) return undefined
  const maker = above?.call
  const host = callerHost ?? maker?.host ?? ''
  const pid = maker?.host === host ? maker.pid : undefined
  const process = processOf(from?.service ?? maker?.service ?? 'client', host, pid)
  const begin = microsAt(tree, offsetMs)
  const length = requestMs === undefined || finishMs === undefined ? 0 : finishMs - requestMs
  const to = begin + microsLong(length)
  return {
    call,
    caller: true,
    process,
    parent: sameProcess(above, process),
    from: begin,
    to,
    lane: 0,
  }
}

function doneSlice(
  call: CallNode,
  above: Slice | undefined,
  tree: CallTree,
  processOf: ProcessOf,
): Slice | undefined {
  const { receiveMs, respondMs, handleOffsetMs, offsetMs, host, pid, service } = call
  if (receiveMs === undefined && respondMs === undefined) return undefined
  const process = processOf(service, host ?? '', pid)
  const begin = microsAt(tree, handleOffsetMs ?? offsetMs)
  const length = receiveMs === undefined || respondMs === undefined ? 0 : respondMs - receiveMs
  const to = begin + microsLong(length)
  return {
    call,
    caller: false,
    process,
    parent: sameProcess(above, process),
    from: begin,
    to,
    lane: 0,
  }
}

const microsAt = (tree: CallTree, offsetMs: number) =>
  Math.round((tree.startedMs + offsetMs) * 1_000)

const microsLong = (ms: number) => Math.max(0, Math.round(ms * 1_000))

const processName = (pid: number, name: string) =>
  ({ ph: 'M', name: 'process_name', pid, tid: 0, args: { name } }) as const

const threadName = (pid: number, tid: number) =>
  ({ ph: 'M', name: 'thread_name', pid, tid, args: { name: `calls ${tid}` } }) as const

function eventOf({ call, caller, process, from, to, lane }: Slice, tree: CallTree) {
  const status = caller ? call.callerStatus : call.calleeStatus
  const name = caller
    ? `${call.edge === 'event' ? 'publish' : 'call'} ${call.service}.${call.method}`
    : `${call.service}.${call.method}`
  return {
    ...{ ph: 'X', name, cat: call.edge, pid: process.pid, tid: lane, ts: from, dur: to - from },
    args: {
      ...{
        trace: tree.traceId,
        call: call.id,
        status: status ?? 'pending',
        presence: call.presence,
      },
      ...(call.error !== undefined && { error: call.error }),
      ...(!caller && call.selfMs !== undefined && { selfMs: call.selfMs }),
      ...(call.attempt > 1 && { attempt: call.attempt }),
      ...call.attributes,
    },
  }
}

/** Half of the arrow from a caller's slice to its callee's, where there are both. */
function flowOf({ call, caller, process, from, lane }: Slice, id: string) {
  const both = call.presence[0] === '1' && call.presence[1] === '1'
  if (!both) return undefined
  const at = { id, name: 'call', cat: 'call', pid: process.pid, tid: lane, ts: from }
  return caller ? { ph: 's', ...at } : { ph: 'f', bp: 'e', ...at }
}
