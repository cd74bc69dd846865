import type { Trace } from 'clew/trace'
import { Assembly, type CallRecord, Log, type OwnRecord } from 'clew/trace/blocks'

/** Bytes that a reply carries by default; what a worker holds beyond goes to the root in pieces. */
const BUDGET = 16 * 1024
/** Calls that each worker makes. */
const FAN_OUT = 4
const TRACE_ID = '0123456789abcdef0123456789abcdef'
const SERVICES = 24
const METHODS = 5

/** A trace as it comes home: the root's own record, the block of its reply, and pieces around it. */
export interface MadeTrace {
  readonly calls: number
  readonly root: CallRecord
  readonly block: Uint8Array
  readonly pieces: readonly Uint8Array[]
}

const ROOT_PLACE = { host: 'host-client', pid: 999 }

/** A trace of so many calls, each worker making four until there are enough. */
export function makeTrace(calls: number): MadeTrace {
  let us = 1_790_000_000_000_000
  const tick = () => {
    us += 37
    return us
  }
  const pieces: Uint8Array[] = []
  const blockOf = (call: number): Uint8Array => {
    const receiveUs = tick()
    const log = new Log({ traceId: TRACE_ID, callId: idOf(call), ...placeOf(call) }, receiveUs)
    let made = 0
    let sent = 0
    for (let child = FAN_OUT * call + 1; child <= FAN_OUT * (call + 1) && child < calls; child++) {
      const requestUs = tick()
      const block = blockOf(child)
      if (log.calls > 0 && log.overflows(BUDGET - block.length)) {
        const { calls: held, worst } = log
        const piece = log.takePiece(sent)
        pieces.push(piece)
        log.appendPointer({ piece: sent++, calls: held, bytes: piece.length, worst })
      }
      log.append(recordOf(child, made++, requestUs, tick()), block)
    }
    return log.close(ownOf(receiveUs, tick(), made))
  }
  const requestUs = tick()
  const block = blockOf(0)
  return { calls, root: recordOf(0, 0, requestUs, tick()), block, pieces }
}

/** Reads it as a root does. */
export function readTrace({ root, block, pieces }: MadeTrace): Trace {
  const assembly = new Assembly(TRACE_ID)
  assembly.addRoot(root, ROOT_PLACE, block)
  for (const piece of pieces) assembly.addPiece(piece)
  return assembly.finish()
}

const idOf = (call: number) => (call + 1).toString(16).padStart(16, '0')

function placeOf(call: number) {
  const service = call % SERVICES
  return {
    service: `service_${service}`,
    method: `method_${call % METHODS}`,
    host: `host-${service}`,
    pid: 1000 + service,
  }
}

function recordOf(call: number, seq: number, requestUs: number, finishUs: number): CallRecord {
  const { service, method } = placeOf(call)
  const place = { id: idOf(call), service, method, edge: 'call', seq, attempt: 1 } as const
  return { ...place, requestUs, finishUs, status: 'ok', error: undefined }
}

function ownOf(receiveUs: number, respondUs: number, calls: number): OwnRecord {
  return { receiveUs, respondUs, status: 'ok', inFlight: 1, redelivered: false, calls }
}
