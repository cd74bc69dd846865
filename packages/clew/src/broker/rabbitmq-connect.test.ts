import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server, connect as tcpConnect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { inspect } from 'node:util'
import { ConfigError, RpcError } from '../call/index.ts'
import { call, echo, serviceName } from './contract/fixtures.ts'
import { TcpProxy } from './contract/tcp-proxy.ts'
import { rabbitmq } from './rabbitmq.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'
const SECRET = 'very-secret-2718'

/** Fails to connect and returns why; nothing of it may hold the password. */
async function reasonOf(address: string, connectTimeoutMs = 5000): Promise<string> {
  const broker = rabbitmq(address, { connectTimeoutMs })
  assert.doesNotMatch(broker.name, new RegExp(SECRET))
  const error: unknown = await broker.connect({}).then(
    () => assert.fail('it connected'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof RpcError)
  assert.equal(error.code, 'disconnected')
  assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), new RegExp(SECRET))
  return error.message
}

async function listener(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  return typeof address === 'object' ? address!.port : 0
}

describe('rabbitmq(), addresses', () => {
  it('shows everything but the password', () => {
    const { name } = rabbitmq(`amqp://ann:${SECRET}@rabbit.example:5673/shop`)
    assert.equal(name, 'amqp://ann@rabbit.example:5673/shop')
    assert.equal(rabbitmq('amqp://localhost').name, 'amqp://guest@localhost:5672/')
    assert.equal(rabbitmq('amqps://[::1]').name, 'amqps://guest@[::1]:5671/')
  })

  it('refuses what is no address, without repeating it', () => {
    for (const address of [
      '',
      `ann:${SECRET}@host`,
      `http://a:${SECRET}@host`,
      `amqp://a:%zz${SECRET}@h`,
    ]) {
      assert.throws(
        () => rabbitmq(address),
        (error: unknown) =>
          error instanceof ConfigError && !inspect(error, { depth: 10 }).includes(SECRET),
      )
    }
  })
})

describe('rabbitmq(), connections that fail', () => {
  it('says that nothing listens there', async (t) => {
    const server = createServer()
    const port = await listener(t, server)
    await new Promise((resolve) => server.close(resolve))
    const reason = await reasonOf(`amqp://ann:${SECRET}@127.0.0.1:${port}`)
    assert.match(reason, new RegExp(`amqp://ann@127.0.0.1:${port}/ .*ECONNREFUSED`))
    assert.match(await reasonOf(`amqp://ann:${SECRET}@localhost:${port}`), /ECONNREFUSED/)
  })

  it('understands the brackets of IPv6 addresses', async (t) => {
    const server = createServer()
    const port = await listener(t, server)
    await new Promise((resolve) => server.close(resolve))
    assert.doesNotMatch(await reasonOf(`amqp://[::1]:${port}`), /host name is not known/)
  })

  it('says that the host is not known', async () => {
    const reason = await reasonOf(`amqp://ann:${SECRET}@no-such-host.invalid`)
    assert.match(reason, /host name is not known|no answer/)
  })

  it('gives up on what does not answer, and on what is no RabbitMQ', async (t) => {
    const silent = await listener(
      t,
      createServer(() => {}),
    )
    assert.match(await reasonOf(`amqp://ann:${SECRET}@127.0.0.1:${silent}`, 200), /no answer/)
    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const reason = await reasonOf(`amqp://ann:${SECRET}@127.0.0.1:${await listener(t, web)}`, 1000)
    assert.match(reason, /cannot be reached/)
    const rude = createServer((socket) => socket.destroy())
    assert.match(
      await reasonOf(`amqp://ann:${SECRET}@127.0.0.1:${await listener(t, rude)}`),
      /cannot be reached/,
    )
  })
})

describe('rabbitmq(), servers that are no RabbitMQ', () => {
  it('survives whatever they say', async (t) => {
    const frame = (type: number, size: number) => {
      const bytes = Buffer.alloc(300_000, 0xce)
      bytes.writeUInt8(type, 0)
      bytes.writeUInt16BE(0, 1)
      bytes.writeUInt32BE(size, 3)
      return bytes
    }
    const greetings = [
      Buffer.from(`HTTP/1.1 200 OK\r\n\r\n${'<p>hello</p>'.repeat(30_000)}`),
      Buffer.alloc(300_000, 0xff),
      Buffer.alloc(300_000),
      frame(1, 0xffff_fff0),
      frame(1, 200_000),
      frame(2, 12),
      frame(1, 4),
      frame(99, 4),
      frame(8, 0),
    ]
    for (const greeting of greetings) {
      const server = createServer((socket) => {
        socket.on('error', () => {})
        socket.write(greeting)
      })
      const port = await listener(t, server)
      assert.match(await reasonOf(`amqp://127.0.0.1:${port}`, 300), /cannot be reached/)
    }
  })
})

describe('rabbitmq(), refusals of RabbitMQ', { skip }, () => {
  const refused = (change: (address: URL) => void) => {
    const address = new URL(url!)
    address.password = SECRET
    change(address)
    return reasonOf(address.href)
  }

  it('says that user or password are wrong', async () => {
    const reason = await refused((address) => {
      address.username = 'nobody'
    })
    assert.match(reason, /refuses the login of user nobody/)
  })

  it('says that the vhost does not exist', async () => {
    const address = new URL(url!)
    address.pathname = '/nowhere'
    const reason = await reasonOf(address.href)
    assert.match(reason, /has no vhost nowhere/)
  })

  it('says that the port does not speak TLS', async () => {
    const reason = await refused((address) => {
      address.href = address.href.replace('amqp:', 'amqps:')
    })
    assert.match(reason, /TLS|SSL/)
  })

  it('speaks TLS, with authorities of its own, and says what is wrong with it', async (t) => {
    // From dist/broker or src/broker: certificates are not compiled.
    const fixture = (name: string) =>
      readFileSync(new URL(`../../src/broker/fixtures/${name}`, import.meta.url))
    const cert = fixture('test-certificate.pem')
    const upstream = new URL(url!)
    const server = createTlsServer({ key: fixture('test-key.pem'), cert }, (client) => {
      const plain = tcpConnect(Number(upstream.port), upstream.hostname)
      for (const socket of [client, plain]) socket.on('error', () => {})
      client.pipe(plain).pipe(client)
    })
    server.on('tlsClientError', () => {})
    const secure = new URL(url!)
    const address = `amqps://${secure.username}:${secure.password}@localhost:${await listener(t, server)}`
    assert.match(await reasonOf(address), /by TLS: .*certificate/)
    const connection = await rabbitmq(address, { tls: { ca: cert } }).connect({})
    const service = serviceName()
    await connection.serve(service, echo, { prefetch: 1 })
    const text = 'x'.repeat(300_000)
    assert.equal((await connection.request(call({ service, args: [text] }))).result, text)
    await connection.close()
  })

  it('logs in by the methods that the broker knows, and says when it knows one not', async () => {
    for (const loginMethod of ['PLAIN', 'AMQPLAIN'] as const) {
      const connection = await rabbitmq(url!, { loginMethod }).connect({})
      await connection.close()
      const wrong = new URL(url!)
      wrong.password = SECRET
      await assert.rejects(rabbitmq(wrong.href, { loginMethod }).connect({}), {
        message: /refuses the login of user/,
      })
    }
    await assert.rejects(rabbitmq(url!, { loginMethod: 'EXTERNAL' }).connect({}), {
      code: 'disconnected',
      message: /knows no login by EXTERNAL, only by .*PLAIN.*loginMethod/,
    })
  })

  it('closes both connections and names them', async (t) => {
    const proxy = await TcpProxy.open(url!)
    t.after(() => proxy[Symbol.asyncDispose]())
    const connection = await rabbitmq(proxy.url).connect({ owner: 'shop' })
    assert.equal(proxy.connections, 2)
    assert.match(Buffer.concat(proxy.sent).toString('latin1'), /clew shop /)
    await connection.close()
    while (proxy.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  })
})
