import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { SOURCES } from './python.ts'

const QUIET = { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' }

/** How long a Python process may take to end when asked to, before it is killed. */
const STOP_MS = 20_000

/** Anything that runs Python: its output is kept, and it never outlives us. */
abstract class PythonProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  #output = ''

  constructor(python: string, parameters: readonly string[], prefix: string) {
    const environment = { ...process.env, ...QUIET, CLEW_INTEROP: prefix }
    this.#child = spawn(python, parameters, { cwd: SOURCES, env: environment, stdio: 'pipe' })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code) => resolve(code))
      this.#child.once('error', () => resolve(null))
    })
    const keep = (chunk: string) => {
      this.#output += chunk
    }
    // A child that has ended already is found out by `alive` and by the answer that does not come.
    this.#child.stdin?.on('error', () => {})
    this.#child.stderr?.setEncoding('utf8').on('data', keep)
    this.onStdout(keep)
  }

  protected onStdout(keep: (chunk: string) => void): void {
    this.#child.stdout?.setEncoding('utf8').on('data', keep)
  }

  protected get child(): ChildProcess {
    return this.#child
  }

  /** All it has written so far, for people. */
  get output(): string {
    return this.#output
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves with its exit code, null when it had to be killed. */
  protected async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.#child.kill(signal)
    this.#child.stdin?.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    const code = await this.#ended
    clearTimeout(timer)
    return code
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }
}

/** `nameko run`, with services of services.py. */
export class NamekoServices extends PythonProcess {
  /** @param services classes in services.py */
  constructor(python: string, url: string, prefix: string, services: readonly string[]) {
    const modules = services.map((service) => `services:${service}`)
    super(python, ['launch.py', 'run', ...modules, '--broker', url], prefix)
  }

  /** The last lines of all tracebacks it has written: class and message of what was raised. */
  get tracebacks(): readonly string[] {
    const parts = this.output.split('Traceback (most recent call last):\n').slice(1)
    return parts.map((part) => part.split('\n').find((line) => /^\S/u.test(line)) ?? part)
  }

  /** Asks it to stop as operators do. Resolves with its exit code, null when it had to be killed. */
  stop(): Promise<number | null> {
    return this.end('SIGTERM')
  }
}

/** What a call by Nameko's standalone client came to. */
export interface Outcome {
  readonly result?: unknown
  /** Python's `repr` of the result. */
  readonly repr?: string
  readonly error?: Described
}

/** An exception, as describe.py tells it. */
export interface Described {
  readonly class: string
  readonly module: string
  readonly exc_type: string | null
  readonly value: string | null
  readonly args: readonly string[]
  readonly text: string
}

export interface StandaloneCall {
  readonly service: string
  readonly method: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
  readonly client?: 'cluster' | 'service'
  readonly context?: Readonly<Record<string, unknown>>
  /** Names one of CONTEXTS in caller.py: values that JSON could not bring there. */
  readonly contexts?:
    | 'integers'
    | 'specials'
    | 'nested'
    | 'nan'
    | 'bytes'
    | 'deep'
    | 'large'
    | 'huge'
  /** Seconds. */
  readonly timeout?: number
}

/** A message published as it is, whatever becomes of it. */
export interface RawMessage {
  readonly routingKey: string
  readonly body: string | Uint8Array
  readonly contentType?: string | null
  readonly contentEncoding?: string | null
  readonly correlationId?: string | null
  readonly headers?: Readonly<Record<string, unknown>>
  readonly properties?: Readonly<Record<string, unknown>>
  /** Reply address of our own making. @default a UUID */
  readonly replyKey?: string
}

/** A message as it arrived, with everything a peer can see of it. */
export interface RawReply {
  readonly body: string
  readonly properties: Readonly<Record<string, unknown>>
}

/** caller.py: a Python program that is no service. Takes one command at a time. */
export class StandaloneCaller extends PythonProcess {
  readonly #answers: ((line: string) => void)[] = []

  constructor(python: string, url: string, prefix: string) {
    super(python, ['caller.py', url], prefix)
  }

  protected override onStdout(): void {
    const lines = createInterface({ input: this.child.stdout! })
    lines.on('line', (line) => this.#answers.shift()?.(line))
    lines.on('close', () => {
      for (const answer of this.#answers.splice(0)) answer('{"failed":{"text":"caller.py ended"}}')
    })
  }

  call(call: StandaloneCall): Promise<Outcome> {
    return this.#ask<Outcome>({ op: 'call', ...call })
  }

  async callAtOnce(service: string, method: string, calls: readonly unknown[][]) {
    return (await this.#ask<Outcome>({ op: 'at_once', service, method, calls })).result
  }

  /** Publishes and does not wait for anything. */
  async publish(message: RawMessage): Promise<void> {
    await this.#ask({ op: 'publish', ...onWire(message) })
  }

  /** Publishes with a reply address and waits for what comes there. */
  async ask(message: RawMessage): Promise<RawReply | null> {
    const asked = { op: 'publish', ask: true, ...onWire(message) }
    return (await this.#ask<{ reply: RawReply | null }>(asked)).reply
  }

  /** Nameko's standalone event dispatcher. */
  async dispatch(service: string, type: string, payload: unknown): Promise<void> {
    await this.#ask({ op: 'dispatch', service, type, payload })
  }

  /** Puts a body into a queue as it is. */
  async put(queue: string, body: string, contentType = 'application/json'): Promise<void> {
    const encoded = Buffer.from(body).toString('base64')
    await this.#ask({ op: 'put', queue, body: encoded, content_type: contentType })
  }

  /** Takes the oldest message out of a queue. */
  async take(queue: string): Promise<RawReply | null> {
    return (await this.#ask<{ message: RawReply | null }>({ op: 'take', queue })).message
  }

  /** Whether this kombu wraps datetimes and other classes, as it does from 5.3 on. */
  async wrapsTypes(): Promise<boolean> {
    return (await this.#ask<{ wraps: boolean }>({ op: 'about' })).wraps
  }

  queue(name: string): Promise<{ readonly messages: number; readonly consumers: number }> {
    return this.#ask({ op: 'count', queue: name })
  }

  async deleteQueues(queues: readonly string[]): Promise<void> {
    await this.#ask({ op: 'delete', queues })
  }

  /** Resolves with its exit code. */
  stop(): Promise<number | null> {
    return this.end()
  }

  async #ask<T>(command: object): Promise<T> {
    if (!this.alive) throw new Error(`caller.py has ended:\n${this.output}`)
    const answered = new Promise<string>((resolve) => this.#answers.push(resolve))
    this.child.stdin?.write(`${JSON.stringify(command)}\n`)
    const answer = JSON.parse(await answered) as T & { readonly failed?: Described }
    if (answer.failed !== undefined) {
      throw new Error(`caller.py: ${answer.failed.text}\n${this.output}`)
    }
    return answer
  }
}

function onWire(message: RawMessage): object {
  return {
    routing_key: message.routingKey,
    body: Buffer.from(message.body).toString('base64'),
    content_type: message.contentType,
    content_encoding: message.contentEncoding,
    correlation_id: message.correlationId,
    headers: message.headers,
    properties: message.properties,
    reply_key: message.replyKey,
  }
}
