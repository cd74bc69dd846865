import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { Dependency, inject, memory, run } from 'clew'
import { Datagrams, datagram } from './datagrams.ts'

/** A dependency that knows the shared socket's port, to show that it is one and the same. */
class Port extends Dependency<number> {
  #datagrams: Datagrams | undefined
  override setup() {
    this.#datagrams = this.host.shared(Datagrams)
  }
  override get() {
    return this.#datagrams!.port
  }
}

class Echo {
  static readonly name = 'echo'
  port = inject(new Port())
  @datagram('shout') shout(text: string) {
    if (text === '') throw new RangeError('nothing to shout')
    return text.toUpperCase()
  }
  @datagram('port') async where(_text: string) {
    return this.port
  }
}

class Counter {
  static readonly name = 'counter'
  port = inject(new Port())
  @datagram('count') count(text: string) {
    return [text.length, this.port]
  }
}

test('an entrypoint of your own fires workers, answers with their results, and shares a socket', async () => {
  const datagramPort = await freePort()
  const running = await run([Echo, Counter], {
    broker: memory(),
    config: { datagramPort },
    signals: false,
    log: () => {},
  })
  const ask = async (text: string): Promise<string> => {
    const socket = createSocket('udp4')
    try {
      const answered = once(socket, 'message')
      socket.send(text, datagramPort, '127.0.0.1')
      const [message] = await answered
      return String(message)
    } finally {
      socket.close()
    }
  }
  assert.equal(await ask('shout hello'), 'ok "HELLO"')
  assert.equal(await ask('shout '), 'error nothing to shout')
  assert.equal(await ask('port '), `ok ${datagramPort}`)
  assert.equal(await ask('count abc'), `ok [3,${datagramPort}]`)
  await running.stop()
})

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
