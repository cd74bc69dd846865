/** Two small traces as files have them: one that went well and one that failed in its second call. */
const T0 = 1_795_386_521_000
export const WELL = '4bf92f3577b34da6a3ce929d0e0e4736'
export const FAILED = '4bf92f3577b34da6c0ffee00c0ffee00'

interface Moment {
  readonly id: string
  readonly service: string
  readonly method: string
  readonly parent: string | null
  /** Milliseconds of request, receive, respond and finish. */
  readonly at: readonly [number, number, number, number]
  readonly error?: string
}

const CALLER = ['rpc-request', 'rpc-finish']

function lines(trace: string, call: Moment, below: readonly string[] = []): readonly string[] {
  const line = (kind: string, ms: number, more: object = {}) =>
    JSON.stringify({
      host: CALLER.includes(kind) ? 'web-1' : 'app-1',
      service: call.service,
      method: call.method,
      [kind]: T0 + ms,
      id: call.id,
      trace,
      ...more,
    })
  const ended = call.error === undefined ? {} : { status: 'error', error: call.error }
  const [request, receive, respond, finish] = call.at
  return [
    line('rpc-request', request, { parent: call.parent }),
    line('rpc-receive', receive),
    ...below,
    line('rpc-respond', respond, { calls: below.length === 0 ? 0 : 1, ...ended }),
    line('rpc-finish', finish, ended),
  ]
}

/** `greeting.hello` asks `ids.next`. */
export function wellTrace(service = 'greeting'): string {
  const inner = lines(WELL, {
    id: '00000000000000b2',
    service: 'ids',
    method: 'next',
    parent: '00000000000000a1',
    at: [3, 4, 6, 7],
  })
  const root = { id: '00000000000000a1', service, method: 'hello', parent: null } as const
  return `${lines(WELL, { ...root, at: [0, 1, 9, 10] }, inner).join('\n')}\n`
}

/** `checkout.pay` fails because `bank.authorize` does. */
export function failedTrace(): string {
  const error = 'BankUnavailable'
  const inner = lines(FAILED, {
    id: '00000000000000d4',
    service: 'bank',
    method: 'authorize',
    parent: '00000000000000c3',
    at: [103, 104, 126, 127],
    error,
  })
  const root = { id: '00000000000000c3', service: 'checkout', method: 'pay', parent: null } as const
  return `${lines(FAILED, { ...root, at: [100, 101, 129, 130], error }, inner).join('\n')}\n`
}
