import type { Call, Reply } from 'clew'
import { systemClock } from 'clew/profile'
import {
  ContextValues,
  type Message,
  makeTraceparent,
  microseconds,
  newHalfId,
  readTraceContext,
  shortId,
  traceHeaders,
} from 'clew/testing/steps'
import { type CallRecord, Log, type LogOwner, type OwnRecord } from 'clew/trace/blocks'
import { type MadeCalls, method, wire } from './made-calls.ts'
import { repeated, type Step } from './step.ts'

const RECEIVE_US = 1_790_000_000_000_000
/** Calls in one log. */
const APPENDED = 64
/** Messages made before; a power of two. */
const MESSAGES = 256

/** Single steps, each by itself. */
export async function partsOf(calls: MadeCalls): Promise<readonly Step[]> {
  return [...moments(calls), ...contexts(calls), ...blocks(calls), ...(await carriers(calls))]
}

function moments(calls: MadeCalls): readonly Step[] {
  const clock = systemClock()
  const anchorMs = clock.anchorMs()
  return [
    part('stamp', 'stamp: the time in whole microseconds', () => microseconds(anchorMs) % 1024),
    part('anchor', 'stamp: where the clock stands on the wall', () => clock.anchorMs() % 1024),
    part('id', 'id: of a call, from its correlation id', (index) =>
      shortId(calls.correlationId(index)).charCodeAt(15),
    ),
    part('traceId', 'id: of a trace, the half that is its own', () => newHalfId().charCodeAt(15)),
  ]
}

function contexts(calls: MadeCalls): readonly Step[] {
  const values = new ContextValues()
  const untraced = made((index) => calls.leaving(index, values))
  const traced = untraced.map((call) => ({ ...call, headers: headersOf(call, calls) }))
  const arrivals = made((index) => calls.arriving(index))
  const written = (list: readonly Call[]) =>
    repeated((index) => wire.request(at(list, index)).headers!.length)
  const read = (list: readonly Message[]) =>
    repeated((index) => wire.arriving(at(list, index)).timeoutMs)
  return [
    part('contextWrite', 'context: traceparent made', (index) => {
      const { traceparent } = headersOf(at(untraced, index), calls)
      return String(traceparent).charCodeAt(54)
    }),
    part('contextRead', 'context: traceparent read', (index) =>
      readTraceContext(at(arrivals, index))!.parentId.charCodeAt(15),
    ),
    {
      ...{ key: 'requestWrite', title: 'context: onto the request’s message', group: 'parts' },
      run: written(traced),
      without: written(untraced),
    },
    {
      ...{ key: 'requestRead', title: 'context: off the request’s message', group: 'parts' },
      run: read(traced.map(wire.request)),
      without: read(untraced.map(wire.request)),
    },
  ]
}

function headersOf(call: Call, { traceId }: MadeCalls): Call['headers'] {
  return traceHeaders(call.headers, makeTraceparent({ traceId, flags: '01' }, call.id), undefined)
}

function blocks(calls: MadeCalls): readonly Step[] {
  const owner = ownerOf(calls)
  const [none, all] = [ownRecord(0), ownRecord(APPENDED)]
  const block = new Log(owner, RECEIVE_US).close(none)
  const records = Array.from({ length: APPENDED }, (_, seq) => callRecord(calls, seq))
  return [
    part('blockWrite', 'block: written, of a call that made none', () => {
      return new Log(owner, RECEIVE_US).close(none).length
    }),
    {
      ...{ key: 'blockAppend', title: 'block: appended to a log, one of 64', group: 'parts' },
      grain: APPENDED,
      run: (times) => {
        let sum = 0
        for (let done = 0; done < times; done += APPENDED) {
          const log = new Log(owner, RECEIVE_US)
          for (const record of records) log.append(record, block)
          sum += log.close(all).length
        }
        return sum
      },
    },
  ]
}

async function carriers(calls: MadeCalls): Promise<readonly Step[]> {
  const arrivals = made((index) => calls.arriving(index))
  const bare = await method(calls.arriving(0))
  const attachment = new Log(ownerOf(calls), RECEIVE_US).close(ownRecord(0))
  const carrying = { ...bare, attachment }
  const written = (reply: Reply) =>
    repeated((index) => wire.reply(reply, at(arrivals, index)).body.length)
  const read = (reply: Reply) => {
    const messages = arrivals.map((call) => wire.reply(reply, call))
    return repeated((index) => {
      const { attachment: came } = wire.answered(at(messages, index), at(arrivals, index))
      return came === undefined ? 1 : came.length
    })
  }
  return [
    {
      ...{ key: 'replyWrite', title: 'carrier: the block behind the reply’s body', group: 'parts' },
      run: written(carrying),
      without: written(bare),
    },
    {
      ...{ key: 'replyRead', title: 'carrier: the block off the reply’s body', group: 'parts' },
      run: read(carrying),
      without: read(bare),
    },
  ]
}

function part(key: string, title: string, once: (index: number) => number): Step {
  return { key, title, group: 'parts', run: repeated(once) }
}

function made<T>(make: (index: number) => T): readonly T[] {
  return Array.from({ length: MESSAGES }, (_, index) => make(index))
}

function at<T>(list: readonly T[], index: number): T {
  return list[index & (MESSAGES - 1)]!
}

function ownerOf(calls: MadeCalls): LogOwner {
  const callId = shortId(calls.correlationId(0))
  const place = { service: 'order_service', method: 'place_order', host: 'host-of-orders' }
  return { traceId: calls.traceId, callId, ...place, pid: 4711 }
}

function ownRecord(calls: number): OwnRecord {
  const [startUs, respondUs] = [RECEIVE_US + 31, RECEIVE_US + 1_402]
  const stamps = { receiveUs: RECEIVE_US, startUs, respondUs }
  return { ...stamps, status: 'ok', inFlight: 3, redelivered: false, calls, busy: 0.25 }
}

function callRecord(calls: MadeCalls, seq: number): CallRecord {
  const requestUs = RECEIVE_US + 100 * seq
  return {
    ...{ id: shortId(calls.correlationId(seq)), service: 'stock_service', method: 'reserve_items' },
    ...{ edge: 'call', seq, attempt: 1, requestUs, finishUs: requestUs + 90 },
    ...{ status: 'ok', error: undefined },
  }
}
