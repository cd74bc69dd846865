import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { Dependency, inject } from 'clew'
import { HttpServer, http } from 'clew/http'
import { exchange, open, parseAnswer, rest, serve, until } from './serve.ts'

const taken: Duplex[] = []

/** Takes connections over and repeats what comes. */
class Repeater extends Dependency<number> {
  override setup(): void {
    HttpServer.of(this.host).onUpgrade('/repeat', (request, socket, head) => {
      if (request.headers['x-crash'] !== undefined) throw new Error('secret crash')
      taken.push(socket)
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: repeat\r\nConnection: Upgrade\r\n\r\n',
      )
      socket.write(head)
      socket.pipe(socket)
    })
  }
  override get(): number {
    return taken.length
  }
}

class Shop {
  static readonly name = 'shop'
  repeater = inject(new Repeater())
  @http('GET', '/') get(): string {
    return `${this.repeater}`
  }
}

const upgrade = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: repeat\r\n${more}\r\n`

test('connections are taken over, and outlive the server that gave them', async () => {
  const server = await serve(Shop)
  const socket = await open(server.port)
  const all = rest(socket)
  socket.write(`${upgrade('/repeat?x=1')}hello `)
  await until(() => taken.length === 1, 'it was taken over')
  assert.equal(await (await fetch(server.url)).text(), '1')
  await server.running.stop()
  socket.end('again')
  assert.match(await all, /^HTTP\/1\.1 101 [\s\S]*\r\n\r\nhello again$/)
})

test('other requests of the path are refused, and other upgrades are requests', async () => {
  await using server = await serve(Shop)
  assert.equal((await fetch(`${server.url}/repeat`)).status, 400)
  assert.equal((await fetch(`${server.url}/repeat`, { method: 'POST' })).status, 405)
  const other = await exchange(server.port, upgrade('/', 'Connection: close\r\n'))
  assert.equal(parseAnswer(other).status, 200)
  const crash = await exchange(server.port, upgrade('/repeat', 'X-Crash: yes\r\n'))
  assert.equal(crash, '')
  assert.ok(server.logged.some(({ message }) => message === 'an upgrade failed'))
})

test('a path is upgraded by one extension only', async () => {
  class Twice {
    static readonly name = 'twice'
    first = inject(new Repeater())
    second = inject(new Repeater())
    @http('GET', '/') get(): string {
      return ''
    }
  }
  await assert.rejects(serve(Twice), /ConfigError: \/repeat is upgraded by two extensions/)
})
