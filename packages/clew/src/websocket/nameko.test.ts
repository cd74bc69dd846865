import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { memory } from '../index.ts'
import { hub, websocket } from './index.ts'
import { Client, serve } from './test-client.ts'

interface Captured {
  readonly on: string
  readonly text?: string
  readonly closed?: number
}
interface Step {
  readonly on: string
  readonly text?: string
  readonly binary?: string
  readonly received: readonly Captured[]
}

/** What Nameko 2.14.1 answered: `fixtures/capture.py` says how it was recorded. */
const { steps } = JSON.parse(
  readFileSync(
    new URL('../../src/websocket/fixtures/nameko-frames.json', import.meta.url),
    'utf8',
    // NaN is no JSON; Python writes it all the same, and says so in one of the frames' texts.
  ),
) as { readonly steps: readonly Step[] }

class ValueError extends Error {}

class AppError extends Error {
  readonly args = ['bad thing', 7, { k: [1, 2] }, null]
  constructor() {
    super("('bad thing', 7, {'k': [1, 2]}, None)")
  }
}

/** `fixtures/nameko_chat.py` in TypeScript. */
class Chat {
  static readonly name = 'chat'
  hub = hub()

  @websocket({ params: ['channel'] }) subscribe(socketId: string, channel: string) {
    this.hub.subscribe(socketId, channel)
    return `subscribed ${channel}`
  }
  @websocket({ params: ['channel'] }) unsubscribe(socketId: string, channel: string) {
    this.hub.unsubscribe(socketId, channel)
    return this.hub.getSubscriptions(socketId)
  }
  @websocket subscriptions(socketId: string) {
    return this.hub.getSubscriptions(socketId)
  }
  @websocket({ name: 'subscribe_nobody' }) subscribeNobody(_socketId: string) {
    this.hub.subscribe('nobody', 'room')
  }
  @websocket({ params: ['channel', 'msg'] }) bcast(_: string, channel: string, msg: string) {
    this.hub.broadcast(channel, 'chat', { msg })
  }
  @websocket uni(socketId: string) {
    return this.hub.unicast(socketId, 'direct', [1, 2])
  }
  @websocket({ name: 'uni_nobody' }) uniNobody(_socketId: string) {
    return this.hub.unicast('nobody', 'direct', null)
  }
  @websocket({ params: ['name', 'greeting'] }) greet(_: string, name: string, greeting = 'Hello') {
    return `${greeting}, ${name}`
  }
  @websocket({ params: ['value'] }) echo(_socketId: string, value: unknown) {
    return value
  }
  @websocket ping(_socketId: string) {}
  @websocket fail(_socketId: string) {
    throw new ValueError('ws oops')
  }
  @websocket({ name: 'fail_app' }) failApp(_socketId: string) {
    throw new AppError()
  }
  @websocket unser(_socketId: string): unknown {
    return new Map()
  }
}

/** Where the answer is another one on purpose, by correlation id. */
const DIFFERENT: Readonly<Record<string, RegExp>> = {
  // The words are those of Python's interpreter.
  21: /"IncorrectSignature".*"ping\(\) takes an object of arguments by name; data is a list"/,
  22: /"IncorrectSignature".*data is a string"/,
  23: /"IncorrectSignature".*data is a number"/,
  // NaN is no JSON: browsers could not read the answer.
  34: /"Invalid JSON data"/,
  // Nameko breaks the socket.
  35: /"UnserializableValueError".*"exc_args":\[\],"value":"Unserializable value: unser returned what JSON cannot carry: it is a Map".*"35"/,
}

test('every frame is the one that Nameko sends', async () => {
  await using server = await serve(Chat, {
    broker: memory(),
    config: { websocket: { errorTexts: 'all' } },
    errors: { 'builtins.ValueError': ValueError, 'nameko_chat.AppError': AppError },
  })
  const clients = new Map<string, Client>()
  for (const step of steps) {
    const { on, text, binary } = step
    if (text === undefined && binary === undefined) {
      const { client, id } = await Client.open(server.socketUrl)
      clients.set(on, client)
      const like = canonical(step.received[0]!.text!)
      const connected = { type: 'event', event: 'connected', data: { socket_id: id } }
      assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
      assert.equal(
        like.replace(/"socket_id":"[^"]*"/, `"socket_id":"${id}"`),
        JSON.stringify(connected),
      )
      continue
    }
    const client = clients.get(on)!
    if (text !== undefined) client.send(text)
    else client.socket.send(Buffer.from(binary!))
    const came: string[] = []
    // Who asked has the answer last, so what others are told has been sent by then.
    for (const name of [on, ...[...clients.keys()].filter((other) => other !== on)]) {
      came.push(...(await clients.get(name)!.settled()).map((frame) => `${name} ${frame}`))
    }
    const label = text ?? binary!
    const different = DIFFERENT[/"correlation_id":"(\d+)"/.exec(label)?.[1] ?? '']
    if (different !== undefined) {
      assert.equal(came.length, 1, label)
      assert.match(came[0]!, different, label)
    } else {
      const expected = step.received.map((frame) => `${frame.on} ${canonical(frame.text!)}`)
      assert.deepEqual(came.toSorted(), expected.toSorted(), label)
    }
  }
  for (const client of clients.values()) await client.close()
})

/** Python writes a blank behind separators and escapes what is not ASCII; keys and their order stay. */
function canonical(text: string): string {
  const big = /"correlation_id": (\d{16,})/.exec(text)?.[1]
  const written = JSON.stringify(JSON.parse(text))
  return big === undefined ? written : written.replace(String(Number(big)), big)
}
