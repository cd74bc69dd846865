import type { Socket } from 'node:net'
import { AMQPClient } from '@cloudamqp/amqp-client'
import type { AMQPChannel } from '@cloudamqp/amqp-client/amqp-channel'
import type { AMQPTlsOptions } from '@cloudamqp/amqp-client/amqp-tls-options'
import type { AMQPView } from '@cloudamqp/amqp-client/amqp-view'
import {
  BASIC_ACK,
  BASIC_CANCEL,
  BASIC_DELIVER,
  BASIC_NACK,
  BASIC_RETURN,
  FRAME_BODY,
  FRAME_END,
  FRAME_HEADER,
  FRAME_METHOD,
  type FrameSink,
  HEARTBEAT_FRAME,
} from './amqp-frames.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameSplitter } from './frame-splitter.ts'
import { type LoginMethod, loginRefusal, withLogin } from './login.ts'
import type { TlsOptions } from './rabbit-address.ts'

export type Channel = AMQPChannel

/** Who reads the messages and confirmations of one channel. */
export interface ChannelReader {
  /** A basic method; the reader stands behind class and method. */
  method(method: number, reader: FrameReader): void
  /** A content header; the reader stands at the body's size. */
  header(reader: FrameReader): void
  /** A piece of a body, from `start` up to `end`, valid only during the call. */
  body(bytes: Buffer, start: number, end: number): void
}

/** Has something to write behind all that a turn writes. */
export interface BeforeWriting {
  beforeWriting(): void
}

const DROP: ChannelReader = { method() {}, header() {}, body() {} }

const OUT_BYTES = 64 * 1024
/** What any frame may take before a size is agreed on. */
const LEAST_FRAME_BYTES = 8192

/**
 * The AMQP client with its message path replaced. The library keeps what is done once (handshake,
 * TLS, channels, declarations). Frames that carry messages are read and written here: the library's
 * codec overflows its stack on deep header tables, dies of Python's int64, drops priority 0 and sends
 * fractions as float32. Nothing that arrives can throw out of the socket.
 */
export class GuardedClient extends AMQPClient implements FrameSink {
  /** Called once when the connection is over, however it ended. */
  onLost: (reason: string) => void = () => {}
  end = 0
  readonly #readers = new Map<number, ChannelReader>()
  readonly #login: LoginMethod
  readonly #loss = Promise.withResolvers<never>()
  readonly #last: BeforeWriting[] = []
  #out: Buffer = Buffer.allocUnsafeSlow(OUT_BYTES)
  #flushing = false
  #lossReason: string | undefined
  #socketError: NodeJS.ErrnoException | undefined
  #lost = false
  #heartbeatTimer: NodeJS.Timeout | undefined
  #sent = false
  #received = false
  #silentTicks = 0
  readonly #frame = new FrameReader()

  constructor(url: string, tlsOptions?: TlsOptions, login: LoginMethod = 'PLAIN') {
    super(url, { ...tlsOptions, ...plainHost(url) } as AMQPTlsOptions)
    this.#login = login
    // Nobody may be waiting when it happens.
    this.#loss.promise.catch(() => {})
  }

  override async connect() {
    const connecting = super.connect()
    const socket = this.socket!
    // Off by default. With Nagle's algorithm a manually acknowledged call takes 44 ms.
    socket.setNoDelay(true)
    this.#guardReading(socket)
    socket.on('error', (error) => {
      this.#socketError = error
    })
    socket.once('close', () => this.#ended())
    this.onerror = (error) => this.#note(error.message)
    this.ondisconnect = (error) => this.#note(error?.message ?? '')
    const client = await connecting
    // The library's idle timer also counts what we send as life of the other side, and fires when our
    // own event loop was busy; the heartbeat below does neither.
    socket.setTimeout(0)
    if (this.heartbeat > 0) this.#beat(this.heartbeat * 500)
    return client
  }

  // The library gets whole frames, and only those that belong to no message. What it throws at, or what
  // is no frame at all, would end the process.
  #guardReading(socket: Socket): void {
    const listeners = socket.listeners('data')
    socket.removeAllListeners('data')
    const splitter = new FrameSplitter(
      (bytes, start, end) => {
        if (this.#readMessage(bytes, start, end)) return
        const frame = bytes.subarray(start, end)
        for (const listener of listeners) listener.call(socket, frame)
      },
      // Smaller than agreed only before anything is.
      () => Math.max(this.frameMax, LEAST_FRAME_BYTES),
    )
    socket.on('data', (bytes: Buffer) => {
      this.#received = true
      try {
        splitter.read(bytes)
      } catch (error) {
        this.abandon(`what came is no AMQP: ${error instanceof Error ? error.message : error}`)
      }
    })
  }

  /** What the socket itself complained of; the library keeps only its text, which may be empty. */
  get socketError(): NodeJS.ErrnoException | undefined {
    return this.#socketError
  }

  /** Drops the connection without a word. */
  abandon(reason: string): void {
    this.#note(reason)
    this.closed = true
    const socket: Socket | undefined = this.socket
    if (socket === undefined) this.#ended()
    else socket.destroy()
  }

  #note(reason: string): void {
    if (reason !== '') this.#lossReason ??= reason
  }

  #ended(): void {
    if (this.#lost) return
    this.#lost = true
    clearInterval(this.#heartbeatTimer)
    this.closed = true
    this.#readers.clear()
    const reason = this.#lossReason ?? this.#socketError?.message ?? 'the connection was closed'
    for (const channel of this.channels) channel?.setClosed(new Error(reason))
    this.#loss.reject(new Error(reason))
    this.onLost(reason)
  }

  /**
   * What the broker answers, or a rejection when the connection ends first: the library forgets those
   * who wait for the closing of a channel.
   */
  answer<T>(answered: Promise<T>): Promise<T> {
    return Promise.race([answered, this.#loss.promise])
  }

  attach(channel: Channel, reader: ChannelReader): void {
    this.#readers.set(channel.id, reader)
  }

  /** What still comes on the channel is dropped: the library must not read it, not even the rest of a message. */
  detach(channel: Channel): void {
    // Once it is told to close nothing is written on it.
    this.#writeLast()
    this.#readers.set(channel.id, DROP)
  }

  /** No message is looked at any more: the connection is about to be closed. */
  detachAll(): void {
    this.#writeLast()
    for (const id of this.#readers.keys()) this.#readers.set(id, DROP)
  }

  protected override parseFrames(view: AMQPView): void {
    try {
      if (!this.#refuses(view)) super.parseFrames(view)
    } catch (error) {
      // Thrown on, it would come out of the socket's event and end the process.
      this.abandon(`a frame could not be read: ${error instanceof Error ? error.message : error}`)
    }
  }

  /** True when the frame offers no login of ours. */
  #refuses(view: AMQPView): boolean {
    if (this.#login === 'PLAIN') return false
    const frame = Buffer.from(view.buffer, view.byteOffset, view.byteLength)
    const refusal = loginRefusal(frame, this.#login)
    if (refusal !== undefined) this.abandon(refusal)
    return refusal !== undefined
  }

  /** True when the frame belonged to a message and was dealt with. */
  #readMessage(bytes: Buffer, start: number, end: number): boolean {
    const type = bytes[start]
    if (type !== FRAME_METHOD && type !== FRAME_HEADER && type !== FRAME_BODY) return false
    const reader = this.#readers.get(bytes.readUInt16BE(start + 1))
    if (reader === undefined) return false
    const last = end - 1
    if (bytes[last] !== FRAME_END) throw new RangeError('a frame does not end where it says')
    if (type === FRAME_BODY) {
      reader.body(bytes, start + 7, last)
      return true
    }
    if (type === FRAME_HEADER) {
      reader.header(this.#frame.over(bytes, start + 11, last))
      return true
    }
    if (last < start + 11) throw new RangeError('a method frame without a method')
    const method = bytes.readUInt32BE(start + 7)
    switch (method) {
      case BASIC_DELIVER:
      case BASIC_RETURN:
      case BASIC_ACK:
      case BASIC_NACK:
        reader.method(method, this.#frame.over(bytes, start + 11, last))
        return true
      case BASIC_CANCEL:
        reader.method(method, this.#frame.over(bytes, start + 11, last))
        return false
      default:
        return false
    }
  }

  // From the library's own methods. It never rejects: a lost connection is told once, by `onLost`,
  // and fails what waits on the channels; a rejection here would meet no handler in the library.
  override async send(frame: Uint8Array): Promise<void> {
    const bytes = withLogin(frame, this.#login, this)
    this.reserve(bytes.length).set(bytes, this.end)
    this.end += bytes.length
  }

  /** Asked once before the frames of this turn leave. */
  beforeWriting(writer: BeforeWriting): void {
    this.#last.push(writer)
    this.#flushSoon()
  }

  #writeLast(): void {
    for (let writer = this.#last.pop(); writer !== undefined; writer = this.#last.pop()) {
      writer.beforeWriting()
    }
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    // After all that runs in this turn: the frames of a whole batch leave in one write.
    process.nextTick(flush, this)
  }

  reserve(bytes: number): Buffer {
    this.#flushSoon()
    if (this.end + bytes > this.#out.length) {
      this.#write()
      if (bytes > this.#out.length) this.#out = Buffer.allocUnsafeSlow(bytes)
    }
    return this.#out
  }

  pass(bytes: Buffer): void {
    this.#write()
    this.socket?.write(bytes)
  }

  flush(): void {
    this.#writeLast()
    this.#flushing = false
    this.#write()
  }

  #write(): void {
    const { socket, end } = this
    if (end === 0) return
    this.end = 0
    this.#sent = true
    if (socket === undefined || socket.destroyed) return
    if (end <= 4096) {
      // From the pool: cheaper than giving the whole buffer away.
      socket.write(Buffer.from(this.#out.subarray(0, end)))
      return
    }
    socket.write(this.#out.subarray(0, end))
    if (socket.writableLength > 0) this.#out = Buffer.allocUnsafeSlow(OUT_BYTES)
  }

  /** Bytes that the other side has not taken yet. */
  get backlog(): number {
    return this.end + (this.socket?.writableLength ?? 0)
  }

  // Sends a heartbeat when nothing else was sent for half the interval, and gives up after two
  // intervals without a sign of life.
  #beat(halfIntervalMs: number): void {
    let due = performance.now() + halfIntervalMs
    this.#heartbeatTimer = setInterval(() => {
      const lateMs = performance.now() - due
      due = performance.now() + halfIntervalMs
      if (!this.#sent) {
        HEARTBEAT_FRAME.copy(this.reserve(HEARTBEAT_FRAME.length), this.end)
        this.end += HEARTBEAT_FRAME.length
        this.flush()
      }
      this.#sent = false
      // A busy event loop has kept us from reading: that is no silence of the other side.
      if (this.#received || lateMs > halfIntervalMs / 2) this.#silentTicks = 0
      else this.#silentTicks++
      this.#received = false
      if (this.#silentTicks >= 4) this.abandon('no heartbeat came: the other side is silent')
    }, halfIntervalMs)
  }
}

// The library hands the brackets of an IPv6 address on to the resolver; these options win over its own.
function plainHost(url: string): { readonly host?: string } {
  const { hostname } = new URL(url)
  return hostname.startsWith('[') ? { host: hostname.slice(1, -1) } : {}
}

function flush(client: GuardedClient): void {
  client.flush()
}
