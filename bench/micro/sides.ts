import { setImmediate } from 'node:timers/promises'
import type { Handler } from 'clew'
import { ContextValues } from 'clew/testing/steps'
import { countingSink } from './counting-sink.ts'
import { answeredWith, type MadeCalls, method, overWire } from './made-calls.ts'
import { callRepeatedly, openProfiled, type Profiled } from './profiled.ts'
import type { Step } from './step.ts'

/** Calls that one worker makes, and roots that are begun before the process does anything else. */
const TOGETHER = 100

/** Both sides of a call, with the interceptors of `profile()` around what does nothing else. */
export async function sidesOf(calls: MadeCalls): Promise<readonly Step[]> {
  const shop = await openProfiled('host-of-shop')
  const orders = await openProfiled('host-of-orders')
  const sink = countingSink()
  const client = await openProfiled('host-of-client', sink)
  const { attachment } = await orders.callee(method)(calls.arriving(0))
  if (attachment === undefined) throw new Error('the callee answered without a block')
  const answering = answeredWith({ result: null, error: undefined, attachment })

  const arriving = (callee: Handler) => (times: number) =>
    callRepeatedly(callee, times, (index) => calls.arriving(index))
  const fromWorkers = (send: Handler) => callsOfWorkers(shop, calls, send)
  const fromOutside = (send: Handler) => async (times: number) => {
    let sum = 0
    const make = (index: number) => calls.leaving(index, new ContextValues())
    for (let done = 0; done < times; done += TOGETHER) {
      sum += await callRepeatedly(send, TOGETHER, make)
      // Traces are handed over when the event loop has a turn to spare.
      await setImmediate()
    }
    return sum + sink.counts.taken
  }
  return [
    {
      ...{ key: 'caller', title: 'the caller’s side, of a worker’s call', group: 'call' },
      grain: TOGETHER,
      run: fromWorkers(shop.caller(answering)),
      without: fromWorkers(answering),
    },
    {
      ...{ key: 'callee', title: 'the callee’s side', group: 'call' },
      run: arriving(orders.callee(method)),
      without: arriving(method),
    },
    {
      ...{ key: 'call', title: 'both sides, and what they add to messages', group: 'call' },
      grain: TOGETHER,
      run: fromWorkers(shop.caller(overWire(orders.callee(method)))),
      without: fromWorkers(overWire(method)),
    },
    {
      ...{ key: 'root', title: 'the caller’s side, of a call that begins a trace', group: 'call' },
      grain: TOGETHER,
      run: fromOutside(client.caller(answering)),
      without: fromOutside(answering),
    },
  ]
}

/** Calls that workers make which handle a traced call themselves, a hundred each. */
function callsOfWorkers(
  { callee }: Profiled,
  calls: MadeCalls,
  send: Handler,
): (times: number) => Promise<number> {
  return async (times) => {
    let sum = 0
    const handler: Handler = async ({ values }) => {
      sum += await callRepeatedly(send, TOGETHER, (index) => calls.leaving(index, values))
      return { result: null, error: undefined, attachment: undefined }
    }
    for (let done = 0; done < times; done += TOGETHER) {
      const { attachment } = await callee(handler)(calls.arriving(done))
      sum += attachment!.length
    }
    return sum
  }
}
