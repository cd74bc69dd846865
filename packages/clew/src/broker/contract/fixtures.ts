import type { TestContext } from 'node:test'
import {
  type Broker,
  type Call,
  type Connection,
  type ConnectOptions,
  ContextValues,
  type Delivery,
  type Handler,
  type Headers,
  type HeaderValue,
  NewTable,
  newCallId,
  newHalfId,
  type Reply,
} from '../../call/index.ts'

export function headers(entries: Record<string, HeaderValue> = {}): Headers {
  return Object.assign(new NewTable(), entries)
}

export function call(fields: Partial<Call> & { readonly service: string }): Call {
  return {
    method: 'echo',
    args: [],
    kwargs: headers(),
    id: newCallId(),
    context: headers(),
    headers: headers(),
    timeoutMs: 10_000,
    signal: undefined,
    redelivered: false,
    attachable: false,
    rejected: undefined,
    values: new ContextValues(),
    observer: undefined,
    ...fields,
  }
}

export function ok(result: unknown, attachment?: Uint8Array): Reply {
  return { result, error: undefined, attachment }
}

export function failure(error: Error): Reply {
  return { result: undefined, error, attachment: undefined }
}

export const echo: Handler = async (received) => ok(received.args[0])

/** A service name of its own for every test: durable queues outlive them. */
export function serviceName(): string {
  return `test_${newHalfId()}`
}

/** Opens connections that are closed when the test ends. */
export function connector(open: () => Broker, delivery: Delivery) {
  let broker: Broker | undefined
  return async (context: TestContext, options: ConnectOptions = {}): Promise<Connection> => {
    broker ??= open()
    const connection = await broker.connect({ delivery, ...options })
    context.after(() => connection.close())
    return connection
  }
}

export type Connect = ReturnType<typeof connector>

/** Serves without ever answering; `taken` resolves when the first call is in. */
export async function serveUntilTaken(connection: Connection, service: string) {
  const { promise: taken, resolve } = Promise.withResolvers<void>()
  const handler: Handler = () => {
    resolve()
    return new Promise<Reply>(() => {})
  }
  await connection.serve(service, handler, { prefetch: 1 })
  return { taken }
}
