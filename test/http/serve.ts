import assert from 'node:assert/strict'
import { connect as connectSocket, type Socket } from 'node:net'
import { type LogEvent, memory, type Running, type RunOptions, run, type ServiceClass } from 'clew'
import { HttpServer, type HttpSettings } from 'clew/http'
import { eventually } from 'clew/testing'

/** Services with a web server on a free port of this machine. */
export interface Served extends AsyncDisposable {
  readonly running: Running
  readonly url: string
  readonly port: number
  /** What the services logged. */
  readonly logged: readonly LogEvent[]
}

/** Runs services, in process where the options name no broker. */
export async function serve(
  services: ServiceClass | ServiceClass[],
  settings: Partial<HttpSettings> & { readonly server?: new () => HttpServer } = {},
  options: Partial<RunOptions> = {},
): Promise<Served> {
  const logged: LogEvent[] = []
  const running = await run(services, {
    broker: memory(),
    signals: false,
    log: (event) => logged.push(event),
    config: { http: { host: '127.0.0.1', port: 0, idleGraceMs: 20, ...settings } },
    ...options,
  })
  const { url, address } = running.shared(settings.server ?? HttpServer)
  const { port } = address
  return { running, url, port, logged, [Symbol.asyncDispose]: () => running.stop() }
}

/** One answer, as it came over the socket. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** Sends bytes, and gives all that came back when the server has closed. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = await open(port)
  socket.write(bytes)
  return rest(socket)
}

export async function open(port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1')
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket
}

/** All that comes until the other side closes, or breaks off. */
export function rest(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve) => socket.once('error', () => {}).once('close', () => resolve(text)))
}

export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [status = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)]
  })
  const body = text.slice(end + 4)
  const chunked = headers.some(
    ([name, value]) => name === 'transfer-encoding' && value === 'chunked',
  )
  return {
    status: Number(status.split(' ')[1]),
    headers,
    body: chunked ? unchunked(Buffer.from(body)).toString() : body,
  }
}

function unchunked(body: Buffer): Buffer {
  const end = body.indexOf('\r\n')
  const length = Number.parseInt(body.subarray(0, end).toString(), 16)
  if (!(length > 0)) return Buffer.alloc(0)
  const next = end + 2 + length
  return Buffer.concat([body.subarray(end + 2, next), unchunked(body.subarray(next + 2))])
}

/** Waits until something is so. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  await eventually(() => assert.ok(condition(), `it never became so: ${what}`))
}
