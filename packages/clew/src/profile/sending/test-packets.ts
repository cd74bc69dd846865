import { Log, type Packet } from '../../trace/blocks.ts'
import type { Status } from '../../trace/index.ts'

/** Only for tests: a request as it is made up. */
export interface TestRequest {
  readonly traceId?: string
  readonly method?: string
  /** Of the root call. */
  readonly tookMs?: number
  readonly status?: Status
  /** Of the calls that its callee makes, one after the other begun, all of one method. */
  readonly callsMs?: readonly number[]
}

const PLACE = { host: 'vm-1', pid: 7 }
const RECORD = { service: 'orders', edge: 'call', seq: 0, attempt: 1, error: undefined } as const
const FROM_US = 1_700_000_000_000_000

let made = 0

/** Only for tests: the packet of a request, with a trace id of its own. */
export function packetOf(request: TestRequest = {}): Packet {
  const { method = 'get', tookMs = 1, status = 'ok', callsMs = [] } = request
  const traceId = request.traceId ?? (++made).toString(16).padStart(32, '0')
  const id = '00000000000000aa'
  const log = new Log({ traceId, callId: id, service: 'orders', method, ...PLACE }, FROM_US)
  for (const [seq, ms] of callsMs.entries()) {
    const requestUs = FROM_US + seq
    const call = { ...RECORD, service: 'stock', method: 'get', seq, status: 'ok' } as const
    const finishUs = requestUs + Math.round(ms * 1000)
    log.append(
      { ...call, id: (seq + 1).toString(16).padStart(16, '0'), requestUs, finishUs },
      undefined,
    )
  }
  const finishUs = FROM_US + Math.round(tookMs * 1000)
  const block = log.close({
    ...{ receiveUs: FROM_US, startUs: undefined, respondUs: finishUs, status, error: undefined },
    ...{ inFlight: 1, redelivered: false, calls: callsMs.length },
  })
  const record = { ...RECORD, id, method, requestUs: FROM_US, finishUs, status }
  return { traceId, root: { record, ...PLACE, block }, pieces: [], ended: true }
}
