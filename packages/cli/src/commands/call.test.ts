import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  type Ended,
  fileIn,
  type RunningClew,
  runClew,
  startClew,
  withDirectory,
  withProject,
} from '../run-clew.test.ts'

test('a call that says nothing sensible is a usage error', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /is missing/],
    [['greeting'], /"greeting" does not say what to call/],
    [['a.b.c'], /does not say what to call/],
    [['.hello'], /does not say what to call/],
    [['a.b', '--timeout', 'soon'], /--timeout: "soon" is no time/],
    [['a.b', '--kwargs', '[1]'], /--kwargs: "\[1\]" is no JSON object/],
    [['a.b', '12345678901234567890'], /too large to be sent exactly/],
    [['a.b', '--broker', 'memory'], /reaches nobody outside this process/],
    [['a.b', '--broker', 'ftp://x:secret@y'], /begins with ftp:/],
  ]
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await runClew(['call', ...args])
    assert.deepEqual([code, stdout], [2, ''], args.join(' '))
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /secret/)
  }
})

test('a broker that never answers is waited for no longer than the call', async (t) => {
  const frozen = createServer(() => {}).listen(0, '127.0.0.1')
  await once(frozen, 'listening')
  t.after(() => frozen.close())
  const { port } = frozen.address() as { readonly port: number }
  const address = `amqp://127.0.0.1:${port}`
  const { code, stderr } = await runClew(['call', 'a.b', '--timeout', '2s', '--broker', address])
  assert.equal(code, 5)
  assert.match(stderr, /no answer within 2000 ms/)
})

test('a broker that is down is exit code 5', async () => {
  const { code, stderr } = await runClew(['call', 'a.b', '--broker', 'amqp://x:secret@127.0.0.1:1'])
  assert.equal(code, 5)
  assert.match(stderr, /cannot be reached.*\n.*try: /)
  assert.doesNotMatch(stderr, /secret/)
})

const SHOP = `import { proxy, rpc } from 'clew'
export class OutOfStock extends Error { override name = 'OutOfStock' }
export class Stock {
  static readonly name = 'cli_call_stock'
  @rpc({ params: ['article', 'count'] }) reserve(article: string, count: number = 1): string {
    if (article === 'boots') throw new OutOfStock('no \\x1b[31mboots')
    return \`\${count} \${article}\`
  }
  @rpc slow(): Promise<void> { return new Promise((resolve) => setTimeout(resolve, 2000)) }
  @rpc hang(): Promise<void> {
    console.error('hang begins')
    return this.slow()
  }
  @rpc evil(): string { return '\\x1b[2J\\u202eevil\\u009b' }
  @rpc nothing(): void {}
}
export class Orders {
  static readonly name = 'cli_call_orders'
  stock = proxy<Stock>('cli_call_stock')
  @rpc async place(article: string): Promise<string> { return await this.stock.reserve(article) }
  @rpc kinds(...values: unknown[]): unknown { return values }
}
`

const address = process.env.CLEW_AMQP_URL

describe('clew call', {
  skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false,
}, () => {
  const env = { CLEW_BROKER: address }
  const call = (...args: readonly string[]): Promise<Ended> => runClew(['call', ...args], { env })
  const done = Promise.withResolvers<void>()
  let services: RunningClew
  let project: Promise<void>

  before(async () => {
    const ready = Promise.withResolvers<void>()
    project = withProject(async (directory) => {
      services = startClew(['run', await fileIn(directory, 'shop.ts', SHOP), '--profile'], { env })
      services.says('Ctrl-C').then(ready.resolve, ready.reject)
      await done.promise
    })
    await ready.promise
  })

  after(async () => {
    services.kill('SIGTERM')
    const { code, stderr } = await services.ended
    assert.equal(code, 0, stderr)
    assert.ok(!stderr.includes('\x1b'), 'what services threw must not steer the terminal')
    done.resolve()
    await project
  })

  test('prints the result as JSON', async () => {
    const { code, stdout, stderr } = await call('cli_call_stock.reserve', 'socks')
    assert.deepEqual([code, stdout, stderr], [0, '"1 socks"\n', ''])
    assert.equal((await call('cli_call_stock.nothing')).stdout, 'null\n')
  })

  test('arguments are JSON where they are JSON', async () => {
    const given = ['1', '-2', 'x', '"3"', 'true', 'null', '{"a":[1]}', '[', '', '--', '--json']
    const { code, stdout } = await call('cli_call_orders.kinds', ...given)
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), [
      1,
      -2,
      'x',
      '3',
      true,
      null,
      { a: [1] },
      '[',
      '',
      '--json',
    ])
  })

  test('keyword arguments are matched by name', async () => {
    const kwargs = JSON.stringify({ count: 7, article: 'caps' })
    assert.equal((await call('cli_call_stock.reserve', '--kwargs', kwargs)).stdout, '"7 caps"\n')
    const unknown = await call('cli_call_stock.reserve', 'caps', '--kwargs', '{"colour":"red"}')
    assert.equal(unknown.code, 2)
    assert.match(unknown.stderr, /unexpected keyword argument 'colour'/)
  })

  test('--trace prints the tree, -o keeps it', () =>
    withDirectory(async (directory) => {
      const out = join(directory, 'trace.jsonl')
      const { code, stdout } = await call('cli_call_orders.place', 'socks', '--trace', '-o', out)
      assert.equal(code, 0)
      assert.match(stdout, /^"1 socks"\n\n/)
      assert.match(stdout, /cli_call_orders\.place/)
      assert.match(stdout, /[└┗].*cli_call_stock\.reserve/)
      assert.match(await readFile(out, 'utf8'), /"rpc-request":/)
      assert.match((await runClew(['show', out])).stdout, /cli_call_stock\.reserve/)
      const lost = await call('cli_call_orders.place', 'socks', '-o', join(directory, 'no', 'x'))
      assert.equal(lost.code, 1)
      assert.match(lost.stderr, /cannot write/)
    }))

  test('an error of the method tells its class, its message and which service failed first', async () => {
    const plain = await call('cli_call_orders.place', 'boots')
    assert.deepEqual([plain.code, plain.stdout], [1, ''])
    assert.match(plain.stderr, /cli_call_orders\.place threw OutOfStock: no \\x1b\[31mboots/)
    assert.match(plain.stderr, /try: clew call .* --trace/)
    const traced = await call('cli_call_orders.place', 'boots', '--trace')
    assert.equal(traced.code, 1)
    assert.match(traced.stdout, /[└┗].*cli_call_stock\.reserve .*OutOfStock/)
    assert.match(
      traced.stderr,
      /cli_call_stock\.reserve failed first, with OutOfStock; cli_call_orders only passed it on/,
    )
  })

  test('--json is one value, whatever happens', async () => {
    const good = JSON.parse(
      (await call('cli_call_orders.place', 'socks', '--json', '--trace')).stdout,
    )
    assert.deepEqual([good.schema, good.result, good.trace.callCount], [1, '1 socks', 2])
    const bad = JSON.parse(
      (await call('cli_call_orders.place', 'boots', '--json', '--trace')).stdout,
    )
    const { code, name, args, firstFailure, trace } = bad.error
    assert.deepEqual(
      [bad.schema, code, name, args],
      [1, 'remote', 'OutOfStock', ['no \x1b[31mboots']],
    )
    assert.deepEqual([firstFailure.service, trace.callCount], ['cli_call_stock', 2])
    const unknown = JSON.parse((await call('cli_call_nobody.x', '--json')).stdout)
    assert.equal(unknown.error.code, 'unknown_service')
  })

  test('what does not exist is exit code 3, wrong arguments are 2', async () => {
    const service = await call('cli_call_nobody.x')
    assert.equal(service.code, 3)
    assert.match(service.stderr, /nobody serves cli_call_nobody.*\n.*try: .*clew run/)
    const method = await call('cli_call_stock.restock')
    assert.equal(method.code, 3)
    assert.match(method.stderr, /service cli_call_stock has no method restock/)
    const few = await call('cli_call_stock.reserve')
    assert.equal(few.code, 2)
    assert.match(few.stderr, /missing 1 required positional argument: 'article'/)
    assert.equal((await call('cli_call_stock.reserve', 'a', '1', '2')).code, 2)
  })

  test('a reply that does not come in time is exit code 6', async () => {
    const { code, stdout, stderr } = await call(
      'cli_call_stock.slow',
      '--timeout',
      '300ms',
      '--trace',
    )
    assert.equal(code, 6)
    assert.match(stderr, /did not reply within 300 ms/)
    assert.match(stdout, /cli_call_stock\.slow/)
  })

  test('Ctrl-C ends a call that hangs', async () => {
    const clew = startClew(['call', 'cli_call_stock.hang'], { env })
    await services.says('hang begins')
    clew.kill('SIGINT')
    const { code, stderr } = await clew.ended
    assert.equal(code, 130)
    assert.match(stderr, /cli_call_stock\.hang was cancelled/)
  })

  test('a login that is refused is exit code 4', async () => {
    const wrong = new URL(address!)
    wrong.password = 'not-the-password'
    const { code, stderr } = await call('a.b', '--broker', wrong.href)
    assert.equal(code, 4)
    assert.match(stderr, /refuses the login/)
    assert.doesNotMatch(stderr, /not-the-password/)
  })

  test('results cannot steer the terminal', async () => {
    for (const flags of [[], ['--json'], ['--trace']]) {
      const { stdout } = await call('cli_call_stock.evil', ...flags)
      assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
    }
  })
})

test('a grant is shown to a service that requires one', {
  skip: address === undefined,
}, async () => {
  const { rabbitmq, rpc, run } = await import('clew')
  const access = await import('clew/profile')
  class Vault {
    static readonly name = 'cli_call_vault'
    @rpc async open(): Promise<string> {
      return 'opened'
    }
  }
  const [key] = await access.importGrantKeys((await access.generateGrantKey()).private)
  const verify = access.grantVerifier({ keys: [key!] })
  await using _ = await run(Vault, {
    broker: rabbitmq(address!),
    use: [access.profile({ require: 'grant', access: { verify } })],
    signals: false,
  })
  const issuer = access.grantIssuer({ key: key! })
  const grant = () => issuer.issue({ subject: 'me', audience: Vault.name, scope: 'full' })
  const args = ['call', 'cli_call_vault.open', '--trace', '--json', '--broker', address!]
  const inside = async (more: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await runClew([...args, ...more], { env })
    assert.equal(code, 0, stderr)
    return typeof JSON.parse(stdout).trace.calls[0].handleMs
  }
  assert.equal(await inside(['--grant', await grant()]), 'number')
  assert.equal(await inside([], { CLEW_GRANT: await grant() }), 'number')
  assert.equal(await inside([]), 'undefined')
})
