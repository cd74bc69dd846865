import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net'

/** A network that can be broken: stands between a client and RabbitMQ. Only for tests. */
export class TcpProxy implements AsyncDisposable {
  readonly #upstream: URL
  readonly #server: Server
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>()
  #silent: (sent: Buffer) => boolean = () => false
  readonly #sent = new Map<Socket, Buffer[]>()
  #swallowed = false
  #bytesLeft = Number.POSITIVE_INFINITY
  #accepted = 0

  private constructor(upstream: URL) {
    this.#upstream = upstream
    this.#server = createServer((client) => this.#accept(client))
  }

  static async open(upstream: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(upstream))
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The upstream's address by way of this proxy. */
  get url(): string {
    const url = new URL(this.#upstream)
    const address = this.#server.address()
    url.hostname = '127.0.0.1'
    url.port = String(typeof address === 'object' ? address?.port : '')
    return url.href
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted
  }

  #accept(client: Socket): void {
    this.#accepted++
    const server = tcpConnect(Number(this.#upstream.port), this.#upstream.hostname)
    const pair = [client, server] as const
    this.#pairs.add(pair)
    this.#sent.set(client, [])
    client.on('data', (bytes: Buffer) => this.#sent.get(client)?.push(bytes))
    const end = () => {
      // Over a dead line not even the end of the other side is heard.
      if (this.#isSilent(client)) return
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const [from, to] of [pair, [server, client] as const]) {
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('close', end)
      from.on('data', (bytes: Buffer) => this.#forward(client, bytes, to))
    }
  }

  #isSilent(client: Socket): boolean {
    return this.#silent(Buffer.concat(this.#sent.get(client) ?? []))
  }

  #forward(client: Socket, bytes: Buffer, to: Socket): void {
    if (this.#isSilent(client)) {
      this.#swallowed = true
      return
    }
    if (bytes.length < this.#bytesLeft) {
      this.#bytesLeft -= bytes.length
      to.write(bytes)
      return
    }
    const piece = bytes.subarray(0, this.#bytesLeft)
    this.#bytesLeft = Number.POSITIVE_INFINITY
    to.write(piece)
    setImmediate(() => this.reset())
  }

  /** Ends all connections at once, in the middle of whatever they carry. */
  reset(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  /** Ends all connections when so many more bytes have passed, mostly within a frame. */
  resetAfter(bytes: number): void {
    this.#bytesLeft = bytes
  }

  /** Keeps connections open but lets nothing through: a cable that was pulled. */
  set silent(silent: boolean) {
    this.#silent = () => silent
  }

  /** The same for those connections on which the client has sent what the test finds. */
  silence(isMeant: (sent: Buffer) => boolean): void {
    this.#silent = isMeant
  }

  /** True when something was lost in the silence. */
  get wasSilent(): boolean {
    return this.#swallowed
  }

  /** Speaks to the clients as if the broker did. Only between frames. */
  inject(bytes: Buffer): void {
    for (const [client] of this.#pairs) client.write(bytes)
  }

  /** What clients have sent so far, by connection. */
  get sent(): readonly Buffer[] {
    return Array.from(this.#sent.values(), (chunks) => Buffer.concat(chunks))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const [client, server] of this.#pairs) {
      client.destroy()
      server.destroy()
    }
    await closed
  }
}
