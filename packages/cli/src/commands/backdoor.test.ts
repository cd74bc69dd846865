import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type Backdoor, openBackdoor } from '../backdoor-server.ts'
import { fileIn, runClew, startClew, withDirectory, withProject } from '../run-clew.test.ts'
import { noTerminal, startInTerminal } from '../run-in-terminal.test.ts'

type Env = { XDG_RUNTIME_DIR: string }

async function withDoor(
  bindings: Record<string, unknown>,
  body: (door: Backdoor, env: Env) => Promise<void>,
): Promise<void> {
  await withDirectory(async (directory) => {
    const env = { XDG_RUNTIME_DIR: directory }
    const door = await openBackdoor(0, bindings, env)
    try {
      await body(door, env)
    } finally {
      await door.close()
    }
  })
}

test('whoever can read the token gets in, evaluates, and leaves the process as it is', () => {
  const running = { calls: 3 }
  return withDoor({ running }, async ({ port, tokenFile }, env) => {
    assert.equal((await stat(tokenFile)).mode & 0o777, 0o600)
    const stdin = 'running.calls += 1\nawait Promise.resolve({ a: 1 })\nconst x = 2\nx * 21\n'
    const { code, stdout, stderr } = await runClew(['backdoor', `${port}`], { stdin, env })
    assert.equal(code, 0, stderr)
    assert.equal(stdout, '4\n{ a: 1 }\n42\n')
    assert.equal(running.calls, 4)
    const wrong = await runClew(['backdoor', `${port}`], { stdin: '1\nnope()\n2\n', env })
    assert.equal(wrong.code, 1)
    assert.equal(wrong.stdout, '1\nUncaught ReferenceError: nope is not defined\nat stdin:1:1\n')
    const leaving = await runClew(['backdoor', `${port}`], { stdin: 'quit()\n1\n', env })
    assert.deepEqual([leaving.code, leaving.stdout], [0, ''])
  })
})

test('nobody else gets in', () =>
  withDoor({}, async ({ port, tokenFile }, env) => {
    const stdin = '1\n'
    const bad = await runClew(['backdoor', `${port}`, '--token', 'guess'], { stdin, env })
    assert.deepEqual([bad.code, bad.stdout], [4, ''])
    assert.match(bad.stderr, /refuses us/)
    const none = await runClew(['backdoor', `${port}`], {
      stdin,
      env: { XDG_RUNTIME_DIR: join(env.XDG_RUNTIME_DIR, 'other') },
    })
    assert.equal(none.code, 4)
    assert.match(none.stderr, /no token for a backdoor/)
    const token = await readFile(tokenFile, 'utf8')
    const given = { CLEW_BACKDOOR_TOKEN: token, XDG_RUNTIME_DIR: '/nonexistent' }
    assert.equal((await runClew(['backdoor', `${port}`], { stdin, env: given })).code, 0)
    for (const greeting of ['\n', 'GET / HTTP/1.1\r\n\r\n', 'x'.repeat(100_000), `${token}x\n`]) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(greeting)
      let heard = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        heard += text
      })
      await once(socket, 'close')
      assert.match(heard, /^(?:refused\n)?$/)
    }
  }))

test('who was refused takes nobody the place, and a token in a folder of others is none', () =>
  withDoor({}, async ({ port, tokenFile }, env) => {
    const token = await readFile(tokenFile, 'utf8')
    // They stay, though they were told to go.
    const refused = Array.from({ length: 4 }, () =>
      connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume(),
    )
    for (const socket of refused) socket.write('guess\n')
    await Promise.all(refused.map((socket) => once(socket, 'end')))
    let code: number | null = null
    for (const until = Date.now() + 20_000; code !== 0 && Date.now() < until; ) {
      code = (await runClew(['backdoor', `${port}`], { stdin: '1\n', env })).code
    }
    for (const socket of refused) socket.destroy()
    assert.equal(code, 0)
    await chmod(dirname(tokenFile), 0o755)
    const open = await runClew(['backdoor', `${port}`], { stdin: '1\n', env })
    assert.deepEqual([open.code, open.stdout], [4, ''])
    assert.doesNotMatch(open.stderr, new RegExp(token))
  }))

test('it listens on this machine alone', () =>
  withDoor({}, async ({ port }) => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
    for (const { address } of others) {
      const socket = connect(port, address)
      await assert.rejects(once(socket, 'connect'))
    }
  }))

test('visitors are few at a time, go when it closes, and the token goes with it', async () => {
  await withDirectory(async (directory) => {
    const env = { XDG_RUNTIME_DIR: directory }
    const door = await openBackdoor(0, {}, env)
    const token = await readFile(door.tokenFile, 'utf8')
    const sockets = []
    for (let visitor = 0; visitor < 4; visitor++) {
      const socket = connect(door.port, '127.0.0.1').on('error', () => {})
      socket.write(`${token}\n`)
      const [answer] = await once(socket.setEncoding('utf8'), 'data')
      assert.equal(answer, 'ok\n')
      sockets.push(socket)
    }
    const fifth = connect(door.port, '127.0.0.1').setEncoding('utf8')
    const [answer] = await once(fifth, 'data')
    assert.equal(answer, 'refused\n')
    const gone = sockets.map((socket) => once(socket, 'close'))
    await door.close()
    await Promise.all(gone)
    await assert.rejects(stat(door.tokenFile))
    const after = await runClew(['backdoor', `${door.port}`, '--token', token], { stdin: '1' })
    assert.equal(after.code, 5)
    assert.match(after.stderr, /nobody listens on port/)
  })
})

test('a folder that others could reach, and a port that is taken, are refused', async () => {
  await withDirectory(async (directory) => {
    await mkdir(join(directory, 'clew'))
    await chmod(join(directory, 'clew'), 0o755)
    await assert.rejects(openBackdoor(0, {}, { XDG_RUNTIME_DIR: directory }), {
      why: 'others may enter it',
    })
    await mkdir(join(directory, 'elsewhere'), { mode: 0o700 })
    await symlink(join(directory, 'elsewhere'), join(directory, 'elsewhere', 'clew'))
    const linked = { XDG_RUNTIME_DIR: join(directory, 'elsewhere') }
    await assert.rejects(openBackdoor(0, {}, linked), { why: 'it is no directory' })
  })
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  await assert.rejects(openBackdoor(port, {}, {}), { why: 'something else listens there' })
  const other = await runClew(['backdoor', `${port}`, '--token', 'x'], { stdin: '1' })
  assert.equal(other.code, 1)
  assert.match(other.stderr, /is no backdoor, or hangs/)
  taken.close()
})

test('what is no port is a usage error', async () => {
  for (const port of ['x', '70000', 'example.org:5000', '-1']) {
    const { code, stderr } = await runClew(['backdoor', '--', port])
    assert.equal(code, 2, port)
    assert.match(stderr, /is no port of this machine/)
  }
  assert.equal((await runClew(['backdoor'])).code, 2)
})

test('a person gets a prompt; stray errors do not end the process', { skip: noTerminal }, () =>
  withDoor({ answer: 42 }, async ({ port }, env) => {
    const session = startInTerminal(['backdoor', `${port}`], { env })
    try {
      await session.shows('clew> ')
      session.types('answer + 1\r')
      await session.shows('43')
      session.types("void setTimeout(() => { throw new Error('later') })\r")
      await session.shows('Uncaught Error: later')
      session.types('ans')
      await session.shows('ans')
      session.types('\t')
      await session.shows('wer')
      session.types('\r')
      await session.shows('42')
      session.types('exit\r')
      const { code, shown } = await session.ended
      assert.equal(code, 0, shown)
    } finally {
      session.kill()
    }
    const leaving = startInTerminal(['backdoor', `${port}`], { env })
    try {
      await leaving.shows('clew> ')
      leaving.types('\x1c')
      assert.equal((await leaving.ended).code, 0)
    } finally {
      leaving.kill()
    }
  }),
)

const address = process.env.CLEW_AMQP_URL

test(
  'clew run --backdoor shows its services, fires them, and can be stopped from within',
  {
    skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false,
  },
  () =>
    withProject(async (project) => {
      const service = `import { rpc } from 'clew'
export class Looked {
  static readonly name = 'cli_backdoor_looked'
  @rpc twice(value: number): number { return value * 2 }
}`
      const path = await fileIn(project, 'looked.ts', service)
      const env = { CLEW_BROKER: address, XDG_RUNTIME_DIR: project }
      const clew = startClew(['run', path, '--backdoor', '0', '--json'], { env })
      await clew.says('Ctrl-C lets')
      await clew.says('looks into this process')
      const port = /clew backdoor (\d+)/.exec(clew.said())![1]!
      const stdin = `services\nfire('cli_backdoor_looked', 'twice', 21)\nvoid running.stop()\n`
      const { stdout, stderr } = await runClew(['backdoor', port], { stdin, env })
      assert.equal(stdout, "{ cli_backdoor_looked: [ 'twice' ] }\n42\n", stderr)
      const ended = await clew.ended
      assert.equal(ended.code, 0, ended.stderr)
      assert.equal(JSON.parse(ended.stdout).backdoor, Number(port))
    }),
)
