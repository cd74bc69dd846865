import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { event, rabbitmq, rpc, run } from 'clew'
import { eventually } from 'clew/testing'
import { runClew, withDirectory } from '../run-clew.test.ts'
import { noTerminal, startInTerminal } from '../run-in-terminal.test.ts'

const address = process.env.CLEW_AMQP_URL
const onRabbitmq = { skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false }
const unique = `shell_${process.pid}_${Date.now() % 1_000_000}`
const source = `${unique}_source`

class Greeting {
  static readonly name = unique
  static readonly heard: unknown[] = []
  @rpc hello(name: string): string {
    return `Hello, ${name}`
  }
  @rpc fail(): void {
    throw new RangeError('out of range')
  }
  @event(source, 'created') onCreated(order: { readonly id: number }): void {
    Greeting.heard.push(order)
  }
}

async function withService(
  body: (at: { env: Record<string, string> }) => Promise<void>,
): Promise<void> {
  await using _running = await run(Greeting, {
    broker: rabbitmq(address!),
    signals: false,
    log: () => {},
  })
  await body({ env: { CLEW_BROKER: address!, CLEW_HISTORY: '' } })
}

test('a script calls, awaits, and prints what is not undefined', onRabbitmq, () =>
  withService(async ({ env }) => {
    const stdin = `
      // what a person would type
      n.rpc.${unique}.hello('Ada')
      const answer = await n.rpc.${unique}.hello('Bob')
      function twice(text) {
        return text + text
      }

      twice(answer).length
      n.dispatchEvent('${source}', 'created', { id: 7 })
      exit
      throw new Error('behind the end')
    `
    const { code, stdout, stderr } = await runClew(['shell'], { stdin, env })
    assert.equal(code, 0, stderr)
    assert.equal(stdout, "'Hello, Ada'\n20\n")
    await eventually(() => assert.deepEqual(Greeting.heard, [{ id: 7 }]))
    const json = await runClew(['shell', '--json'], { stdin: `[1, '\\u001b']\nn.config\n`, env })
    const [list, config] = json.stdout.trim().split('\n')
    assert.equal(list, '[1,"\\u001b"]')
    assert.equal(JSON.parse(config!).AMQP_URI, address)
  }),
)

test('a script ends at the first error, with the exit code of what went wrong', onRabbitmq, () =>
  withService(async ({ env }) => {
    const cases: readonly (readonly [string, number, RegExp])[] = [
      [`n.rpc.${unique}.fail()`, 1, /fail threw RangeError: out of range/],
      [`await n.rpc.${unique}.fail()`, 1, /fail threw RangeError: out of range/],
      [`n.rpc.${unique}.gone()`, 3, /has no method gone/],
      ['n.rpc.shell_nobody.gone()', 3, /nobody serves shell_nobody/],
      [`n.rpc.${unique}.hello()`, 2, /does not take these arguments/],
      ["throw new TypeError('mine')", 1, /the script failed: TypeError: mine\n {2}why: at stdin:1/],
      ['Promise.reject(7)', 1, /the script failed: Error: 7/],
      ['1 +* 2', 1, /the script failed: SyntaxError/],
      ['gone', 1, /ReferenceError: gone is not defined/],
      [`n.disconnect()\nn.rpc.${unique}.hello('x')`, 5, /the connection is closed/],
    ]
    for (const [script, exit, says] of cases) {
      const stdin = `${script}\nconsole.log('went on')\n`
      const { code, stdout, stderr } = await runClew(['shell'], { stdin, env })
      assert.deepEqual([code, stdout], [exit, ''], `${script}: ${stderr}`)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /clew broke/)
    }
    const half = await runClew(['shell'], { stdin: 'twice(\n', env })
    assert.equal(half.code, 1)
    assert.match(half.stderr, /ends within a statement: twice\(/)
    const nothing = await runClew(['shell'], { stdin: '', env })
    assert.deepEqual([nothing.code, nothing.stdout], [0, ''])
  }),
)

test('an unreachable broker, and wrong flags, are told before anything is read', async () => {
  const down = await runClew(['shell', '--broker', 'amqp://127.0.0.1:1'], { stdin: '1\n' })
  assert.deepEqual([down.code, down.stdout], [5, ''])
  const memory = await runClew(['shell', '--broker', 'memory'], { stdin: '1\n' })
  assert.equal(memory.code, 2)
  assert.match(memory.stderr, /reaches nobody/)
  assert.equal((await runClew(['shell', '--timeout', 'soon'])).code, 2)
  assert.equal((await runClew(['shell', '-c', 'gone.yaml'])).code, 3)
})

const inTerminal = { skip: onRabbitmq.skip || noTerminal, timeout: 60_000 }

test('a person gets completion, history, and errors without end', inTerminal, () =>
  withService(({ env }) =>
    withDirectory(async (directory) => {
      const history = join(directory, 'kept', 'history')
      const options = { env: { ...env, CLEW_HISTORY: history } }
      const shell = startInTerminal(['shell'], options)
      try {
        await shell.shows('clew shell on')
        await shell.shows('> ')
        shell.types(`n.rpc.${unique}.hello('Ada')\r`)
        await shell.shows("'Hello, Ada'")
        shell.types('n.')
        await shell.shows('n.')
        // Keys that come at once are taken for pasted text.
        shell.types('\t')
        await new Promise((resolve) => setTimeout(resolve, 50))
        shell.types('\t')
        await shell.shows('dispatchEvent')
        shell.types(`rpc.${unique}.`)
        await shell.shows(`rpc.${unique}.`)
        shell.types('\t')
        await shell.shows('hello')
        shell.types("('Bob')\r")
        await shell.shows("'Hello, Bob'")
        shell.types(`n.rpc.${unique}.fail()\r`)
        await shell.shows('Uncaught [RemoteError: out of range]')
        shell.types('n.config\r')
        await shell.shows('********')
        shell.types('\x04')
        const { code, shown } = await shell.ended
        assert.equal(code, 0, shown)
        assert.ok(!shown.includes(`:${new URL(address!).password}@`), shown)
        assert.equal((await stat(history)).mode & 0o777, 0o600)
      } finally {
        shell.kill()
      }
      const again = startInTerminal(['shell'], options)
      try {
        await again.shows('> ')
        again.types('\x1b[A')
        await again.shows('n.config')
        again.types('\x03\x04')
        again.types('\x04')
        assert.equal((await again.ended).code, 0)
      } finally {
        again.kill()
      }
    }),
  ),
)
