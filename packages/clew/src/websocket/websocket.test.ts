import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpServer, httpWith } from '../http/index.ts'
import { ConfigError, memory, proxy, rpc, run, workerContext } from '../index.ts'
import { hub, websocket } from './index.ts'
import { Client, refusal, serve } from './test-client.ts'

const MEMORY = () => ({ broker: memory() })

test('the data of a request comes as one object, or by names', async () => {
  class Game {
    static readonly name = 'game'
    @websocket move(_socketId: string, to: { x: number; y?: number }) {
      return to
    }
    @websocket({ params: ['x', 'y'] }) step(_socketId: string, x: number, y = 7) {
      return [x, y]
    }
    @websocket async who(socketId: string) {
      return socketId
    }
  }
  await using server = await serve(Game, MEMORY())
  const { client, id } = await Client.open(server.socketUrl)
  const ask = async (method: string, given?: unknown) => {
    const answer = (await client.ask({ method, data: given })) as {
      data?: unknown
      error?: { value: string }
    }
    return answer.data ?? answer.error?.value
  }
  assert.deepEqual(await ask('move', { x: 1, y: 2 }), { x: 1, y: 2 })
  assert.deepEqual(await ask('move'), {})
  assert.deepEqual(await ask('step', { y: 1, x: 3 }), [3, 1])
  assert.deepEqual(await ask('step', { x: 3 }), [3, 7])
  assert.match(String(await ask('step', { y: 3 })), /missing 1 required positional argument: 'x'/)
  assert.match(String(await ask('who', { x: 3 })), /unexpected keyword argument 'x'/)
  assert.equal(await ask('who'), id)
  await client.close()
})

test('requests of one socket are answered one at a time, those of others meanwhile', async () => {
  const gate = Promise.withResolvers<void>()
  let running = 0
  class Slow {
    static readonly name = 'slow'
    @websocket async wait(_socketId: string, { open }: { open?: boolean }) {
      running++
      if (!open) await gate.promise
      return running--
    }
  }
  await using server = await serve(Slow, MEMORY())
  const { client } = await Client.open(server.socketUrl)
  const { client: other } = await Client.open(server.socketUrl)
  for (const id of [1, 2, 3]) client.send({ method: 'wait', correlation_id: id })
  client.send('not json')
  await other.ask({ method: 'wait', data: { open: true } })
  assert.deepEqual(client.frames, [], 'nothing overtakes the first')
  gate.resolve()
  for (const id of [1, 2, 3]) {
    const answer = await client.next()
    assert.deepEqual(answer, { type: 'result', success: true, data: 1, correlation_id: id })
  }
  assert.match(await client.nextText(), /Invalid JSON data/)
})

test('a client that goes away ends its requests and its subscriptions', async () => {
  const aborted = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  class Slow {
    static readonly name = 'slow'
    worker = workerContext()
    hub = hub()
    @websocket async wait(socketId: string) {
      this.hub.subscribe(socketId, 'room')
      this.worker.signal.addEventListener('abort', () => aborted.resolve())
      begun.resolve()
      await aborted.promise
    }
    @websocket left(_socketId: string) {
      return this.hub.sockets
    }
  }
  await using server = await serve(Slow, MEMORY())
  const { client } = await Client.open(server.socketUrl)
  client.send({ method: 'wait' })
  await begun.promise
  client.socket.terminate()
  await aborted.promise
  const { client: other } = await Client.open(server.socketUrl)
  const { data: left } = (await other.ask({ method: 'left' })) as { data: number }
  assert.equal(left, 1)
})

test('an error from behind the method is told without the names it holds', async () => {
  class Orders {
    static readonly name: string = 'orders_secret'
    @rpc find(): string {
      throw new RangeError('connect ECONNREFUSED db_secret:5432')
    }
  }
  class Gateway {
    static readonly name = 'gateway_secret'
    orders = proxy<Orders & { absent_secret(): string }>('orders_secret')
    nobody = proxy<Orders>('nobody_secret')
    @websocket async find(_socketId: string) {
      return this.orders.find()
    }
    @websocket async unknown(_socketId: string) {
      return this.orders.absent_secret()
    }
    @websocket async none(_socketId: string) {
      return this.nobody.find()
    }
    @websocket own(_socketId: string) {
      throw new Error('password is hunter2_secret')
    }
  }
  await using server = await serve([Orders, Gateway], MEMORY())
  const { client } = await Client.open(server.socketUrl)
  const errors: unknown[] = []
  for (const method of ['find', 'own', 'unknown', 'none']) {
    client.send({ method })
    const text = await client.nextText()
    assert.doesNotMatch(text, /secret/)
    errors.push((JSON.parse(text) as { error: { value: string } }).error.value)
  }
  assert.deepEqual(errors, [
    'the request could not be answered',
    'the request could not be answered',
    'a service behind this one refused the call',
    'a service behind this one is not there',
  ])
})

test('a method that does not answer in time is answered for, and the next request begins', async () => {
  class Stuck {
    static readonly name = 'stuck'
    @websocket({ timeoutMs: 20 }) async never(_socketId: string) {
      await new Promise(() => {})
    }
    @websocket now(_socketId: string) {}
  }
  await using server = await serve(Stuck, MEMORY())
  const { client } = await Client.open(server.socketUrl)
  for (const method of ['never', 'now']) client.send({ method, correlation_id: method })
  const [late, now] = [await client.nextText(), await client.nextText()]
  assert.match(late, /"exc_type":"Timeout".*"value":"no answer came in time".*"never"/)
  assert.match(now, /"success":true.*"now"/)
  await server.running.kill()
})

test('texts of unexpected errors leave where the settings say so, those of expected ones always', async () => {
  class Expected extends Error {}
  class Bank {
    static readonly name = 'bank'
    @websocket({ expectedErrors: [Expected] }) pay(_socketId: string, { known }: { known?: true }) {
      throw known ? new Expected('no money') : new Error('password is hunter2')
    }
  }
  for (const [errorTexts, unexpected] of [
    [undefined, /"exc_type":"InternalServerError".*could not be answered/],
    ['expected', /"exc_type":"InternalServerError".*could not be answered/],
    ['all', /"exc_type":"Error".*password is hunter2/],
  ] as const) {
    const config = { websocket: { errorTexts } }
    await using server = await serve(Bank, { ...MEMORY(), config })
    const { client } = await Client.open(server.socketUrl)
    client.send({ method: 'pay', data: { known: true } })
    assert.match(await client.nextText(), /"exc_type":"Expected".*no money/)
    client.send({ method: 'pay' })
    assert.match(await client.nextText(), unexpected)
  }
})

test('services of one process share the path, each with channels of its own', async () => {
  class Here {
    static readonly name = 'here'
    hub = hub()
    @websocket join(socketId: string) {
      this.hub.subscribe(socketId, 'room')
    }
  }
  class There {
    static readonly name = 'there'
    hub = hub()
    @websocket shout(_socketId: string) {
      this.hub.broadcast('room', 'shout', 1)
    }
    @websocket whisper(socketId: string) {
      return this.hub.unicast(socketId, 'whisper', 2)
    }
  }
  await using server = await serve([Here, There], MEMORY())
  const { client } = await Client.open(server.socketUrl)
  for (const method of ['join', 'shout', 'whisper']) client.send({ method, correlation_id: method })
  const frames = (await client.settled()).map((text) => JSON.parse(text))
  assert.deepEqual(
    frames.map(({ correlation_id, event }) => correlation_id ?? event),
    ['join', 'shout', 'whisper', 'whisper'],
    'the broadcast reaches no channel of the other service',
  )
})

test('sockets share the web server that is named, and the context data it makes of headers', async () => {
  class Shop extends HttpServer {
    override contextFromHeaders(headers: Headers) {
      if (headers.get('x-user') === 'broken') throw new Error('no such user')
      return { user_id: headers.get('x-user') }
    }
  }
  const shop = httpWith({ server: Shop })
  class Gateway {
    static readonly name = 'gateway'
    worker = workerContext()
    hub = hub()
    @shop('GET', '/') page(): string {
      return 'page'
    }
    @websocket({ server: Shop }) who(_socketId: string): unknown {
      return this.worker.context.user_id
    }
  }
  const config = { http: { host: '127.0.0.1', port: 0 } }
  await using running = await run(Gateway, { ...MEMORY(), signals: false, config, log: () => {} })
  const { url } = running.shared(Shop)
  assert.equal(await (await fetch(url)).text(), 'page')
  const socketUrl = `${url.replace('http', 'ws')}/ws`
  const { client } = await Client.open(socketUrl, { headers: { 'x-user': 'ada' } })
  assert.match(JSON.stringify(await client.ask({ method: 'who' })), /"data":"ada"/)
  assert.equal(await refusal(socketUrl, { headers: { 'x-user': 'broken' } }), 500)
  class Other {
    static readonly name = 'other'
    hub = hub({ server: HttpServer })
    @websocket({ server: Shop }) ask(_socketId: string) {}
  }
  await assert.rejects(run(Other, { ...MEMORY(), signals: false, config }), /share one web server/)
})

test('methods that cannot be asked are told before anything starts', async () => {
  const asks = { message: /called with the id of the socket that asks; give it a parameter/ }
  assert.throws(() => {
    class Wrong {
      @websocket none() {}
    }
    return Wrong
  }, asks)
  class One {
    static readonly name = 'one'
    @websocket same(_socketId: string) {}
  }
  class Two {
    static readonly name = 'two'
    @websocket({ name: 'same' }) other(_socketId: string) {}
  }
  await assert.rejects(run([One, Two], { ...MEMORY(), signals: false }), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /one.*two.*requests named same|two.*one.*requests named same/)
    return true
  })
})
