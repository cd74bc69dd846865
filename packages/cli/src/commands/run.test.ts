import assert from 'node:assert/strict'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type Ended,
  fileIn,
  INSTALLED,
  runClew,
  startClew,
  withDirectory,
  withProject,
} from '../run-clew.test.ts'

/** Nobody listens there: a service file that loads well gets as far as that. */
const NOWHERE = 'amqp://127.0.0.1:1'

const GREETING = `import { rpc } from 'clew'
export class Greeting {
  static readonly name = 'cli_run_greeting'
  @rpc hello(name: string): string { return \`Hello, \${name}\` }
}
export abstract class Base { @rpc ping(): string { return 'pong' } }
export const size = 3
`

/** Loads a service file; that it was understood shows by the broker being missed. */
function load(path: string, ...flags: readonly string[]): Promise<Ended> {
  return runClew(['run', path, '--broker', NOWHERE, ...flags])
}

test('TypeScript with decorators is loaded as it is, whatever the compiler options say', () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'greeting.ts', GREETING)
    const options = [{}, { experimentalDecorators: true }, { target: 'ES2020' }]
    for (const compilerOptions of options) {
      await fileIn(project, 'tsconfig.json', JSON.stringify({ compilerOptions }))
      const { code, stderr } = await load(path)
      assert.equal(code, 5, stderr)
      assert.match(stderr, /cannot be reached/)
    }
  }))

test("the project's own paths are followed", () =>
  withProject(async (project) => {
    await fileIn(project, 'words.ts', "export const greeting = 'Hello'")
    const source = `import { greeting } from '@words'\n${GREETING.replace('Hello', `\${greeting}`)}`
    const path = await fileIn(project, 'greeting.ts', source)
    assert.equal((await load(path)).code, 1)
    const compilerOptions = { paths: { '@words': ['./words.ts'] } }
    await fileIn(project, 'tsconfig.json', JSON.stringify({ compilerOptions }))
    assert.equal((await load(path)).code, 5)
  }))

test('a module that is CommonJS, because no package says otherwise, is loaded as well', () =>
  withDirectory(async (directory) => {
    await symlink(INSTALLED, join(directory, 'node_modules'), 'dir')
    const path = await fileIn(directory, 'greeting.ts', GREETING)
    assert.equal((await load(path)).code, 5)
  }))

test('one class of a file can be chosen', () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'greeting.ts', GREETING)
    assert.equal((await load(`${path}:Greeting`)).code, 5)
    const cases: readonly (readonly [string, number, RegExp])[] = [
      [
        'Greting',
        3,
        /exports no Greting\n.*its services are Greeting\n.*did you mean: .*:Greeting/,
      ],
      ['size', 2, /size is no service\n.*no class that has a method with @rpc/],
      ['Base', 2, /Base is no service\n.*no name to call it by\n.*static readonly name/],
    ]
    for (const [name, exit, says] of cases) {
      const { code, stderr } = await load(`${path}:${name}`)
      assert.equal(code, exit)
      assert.match(stderr, says)
    }
  }))

test('what is wrong with a file is told in words', () =>
  withProject(async (project) => {
    const cases: readonly (readonly [string, string, number, RegExp])[] = [
      ['syntax.ts', 'export class {', 1, /cannot load .*syntax\.ts\n.*\n.*syntax\.ts:1:13: ERROR/],
      ['throws.ts', "throw new Error('at import')", 1, /why: Error: at import\n.*throws\.ts:1:7/],
      ['lacks.ts', "import 'no-such-package'", 1, /try: npm install no-such-package/],
      ['lost.ts', "import './no-such-file.ts'", 1, /no-such-file\.ts/],
      ['none.ts', 'export const size = 3', 3, /exports no service\n.*it exports size;/],
      ['empty.ts', '', 3, /exports no service\n.*it exports nothing;/],
      ['plain.js', 'export class Plain { hello() {} }', 3, /exports no service/],
      ['notes.txt', 'hello', 1, /neither TypeScript nor JavaScript/],
    ]
    for (const [name, content, exit, says] of cases) {
      const { code, stdout, stderr } = await load(await fileIn(project, name, content))
      assert.deepEqual([code, stdout], [exit, ''], name)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /clew broke/)
    }
    const none = await load(join(project, 'nowhere.ts'))
    assert.deepEqual([none.code, none.stdout], [3, ''])
    assert.match(none.stderr, /there is no file/)
    assert.equal((await load(project)).code, 2)
  }))

test('services with one name, or a name that cannot be routed, are refused', () =>
  withProject(async (project) => {
    const twice = `${GREETING}
export class Other { static readonly name = 'cli_run_greeting'; @rpc x(): void {} }`
    const same = await load(await fileIn(project, 'twice.ts', twice))
    assert.equal(same.code, 2)
    assert.match(same.stderr, /Two of the classes are named cli_run_greeting/)
    const dotted = GREETING.replace('cli_run_greeting', 'a.b')
    const unroutable = await load(await fileIn(project, 'dotted.ts', dotted))
    assert.equal(unroutable.code, 2)
    assert.match(unroutable.stderr, /cannot be routed/)
  }))

test('classes made with another copy of clew are recognised', () =>
  withDirectory(async (directory) => {
    const modules = join(directory, 'node_modules')
    await mkdir(modules)
    await cp(join(INSTALLED, 'clew', 'dist'), join(modules, 'clew', 'dist'), { recursive: true })
    await cp(join(INSTALLED, 'clew', 'package.json'), join(modules, 'clew', 'package.json'))
    await symlink(join(INSTALLED, '@cloudamqp'), join(modules, '@cloudamqp'), 'dir')
    await fileIn(directory, 'package.json', '{ "type": "module" }')
    const { code, stderr } = await load(await fileIn(directory, 'greeting.ts', GREETING))
    assert.equal(code, 1)
    assert.match(stderr, /class (Base|Greeting) of .* uses another copy of clew/)
    assert.match(stderr, /try: npx clew run/)
  }))

test('wrong flags are usage errors, and --profile never takes a module for its file', () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'greeting.ts', GREETING)
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /FILE\[:CLASS\] is missing/],
      [[path, '--max-workers', '0'], /--max-workers: "0" is no whole number/],
      [[path, '--delivery', 'quick'], /--delivery is one of nameko, fast/],
      [[path, '--timeout', 'soon'], /--timeout: "soon" is no time/],
      [[path, '--broker', 'http://127.0.0.1'], /begins with http:/],
      [[path, '--broker', 'memory'], /reaches nobody outside this process/],
      [['--profile', path], /looks like a module/],
    ]
    for (const [args, says] of cases) {
      const { code, stdout, stderr } = await runClew(['run', ...args])
      assert.deepEqual([code, stdout], [2, ''], args.join(' '))
      assert.match(stderr, says)
    }
    const unwritable = await load(path, `--profile=${join(project, 'no', 'traces.jsonl')}`)
    assert.equal(unwritable.code, 1)
    assert.match(unwritable.stderr, /cannot write .*its directory does not exist/)
  }))

test('services without any @rpc are services', () =>
  withProject(async (project) => {
    const source = `import { event, timer } from 'clew'
export class Listening {
  static readonly name = 'cli_run_listening'
  @event('orders', 'created') onCreated(): void {}
  @timer(60_000) tidy(): void {}
}`
    const { code, stderr } = await load(await fileIn(project, 'listening.ts', source))
    assert.equal(code, 5, stderr)
  }))

test('a configuration is read; flags win over the environment, which wins over the file', () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'greeting.ts', GREETING)
    const file = await fileIn(project, 'clew.config.yaml', 'AMQP_URI: amqp://127.0.0.1:2/file\n')
    const reached = async (args: readonly string[], env = {}): Promise<string | undefined> => {
      const { code, stderr } = await runClew(['run', path, ...args], { cwd: project, env })
      assert.equal(code, 5, stderr)
      return /127\.0\.0\.1:\d+\/(\w*)/.exec(stderr)?.[1]
    }
    const env = { CLEW_BROKER: 'amqp://127.0.0.1:2/env' }
    assert.equal(await reached([]), 'file')
    assert.equal(await reached([], env), 'env')
    assert.equal(await reached(['-d', 'AMQP_URI=amqp://127.0.0.1:2/define'], env), 'define')
    assert.equal(await reached(['--broker', 'amqp://127.0.0.1:2/flag'], env), 'flag')
    const call = await runClew(['call', 'a.b'], { cwd: project })
    assert.match(call.stderr, /127\.0\.0\.1:2\/file/)
    await fileIn(project, 'other.yaml', 'max_workers: many\nAMQP_URL: x\n')
    const wrong = await runClew(['run', path, '-c', 'other.yaml'], { cwd: project })
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /other\.yaml:1: max_workers must be a whole number.*got "many"/)
    const gone = await runClew(['run', path, '-c', 'gone.yaml'], { cwd: project })
    assert.equal(gone.code, 3)
    const odd = await runClew(['run', path, '-c', 'other.yaml', '-d', 'max_workers=1'], {
      cwd: project,
      env,
    })
    assert.match(odd.stderr, /odd: other\.yaml:2: AMQP_URL .* did you mean AMQP_URI\?/)
    assert.ok(file.endsWith('.yaml'))
  }))

test('--json carries the error of a broker that is down', () =>
  withProject(async (project) => {
    const { code, stdout } = await load(await fileIn(project, 'greeting.ts', GREETING), '--json')
    assert.equal(code, 5)
    const { schema, error } = JSON.parse(stdout)
    assert.deepEqual([schema, error.code], [1, 'disconnected'])
  }))

test('flags about grants that make no sense are told', () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'greeting.ts', GREETING)
    const none = `${project}/none.json`
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['--grant-key', none], 2, /without --profile there are none/],
      [['--require-grant', '--profile'], 2, /needs a key/],
      [['--profile', '--grant-key', none], 1, /no grant key can be read from .*none\.json: ENOENT/],
      [['--profile', '--grant-key', path], 1, /neither JSON .* nor PEM/],
    ]
    for (const [flags, exit, says] of cases) {
      const { code, stderr } = await runClew(['run', path, ...flags])
      assert.equal(code, exit, stderr)
      assert.match(stderr, says)
    }
  }))

const address = process.env.CLEW_AMQP_URL
const onRabbitmq = { skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false }

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`run says what it runs, and ends well on ${signal}`, onRabbitmq, () =>
    withProject(async (project) => {
      const path = await fileIn(project, 'greeting.ts', GREETING)
      const clew = startClew(['run', path, '--json', '--max-workers', '3'], {
        env: { CLEW_BROKER: address },
      })
      await clew.says('Ctrl-C lets running calls end')
      clew.kill(signal)
      const { code, stdout, stderr } = await clew.ended
      assert.equal(code, 0, stderr)
      assert.match(stderr, /running 1 service on amqp:.*3 calls each/)
      assert.match(stderr, /cli_run_greeting {2}hello/)
      assert.match(stderr, /passed over: .*Base has no `static readonly name`/)
      const { username, password } = new URL(address!)
      assert.ok(!stderr.includes(`${username}:${password}@`))
      const { schema, services } = JSON.parse(stdout)
      assert.equal(schema, 1)
      const entrypoints = [{ kind: 'rpc', name: 'hello', property: 'hello' }]
      assert.deepEqual(services, [{ service: 'cli_run_greeting', methods: ['hello'], entrypoints }])
    }),
  )
}

test('a background task that fails ends the services, with exit code 1', onRabbitmq, () =>
  withProject(async (project) => {
    const source = `import { Dependency, inject, rpc } from 'clew'
class Watch extends Dependency<number> {
  override get() { return 1 }
  override start() { this.host.spawn(async () => { throw new Error('the disk is full') }) }
}
export class Failing {
  static readonly name = 'cli_run_failing'
  watch = inject(new Watch())
  @rpc hello() {}
}
`
    const path = await fileIn(project, 'failing.ts', source)
    const { code, stderr } = await runClew(['run', path], { env: { CLEW_BROKER: address } })
    assert.equal(code, 1, stderr)
    assert.match(stderr, /a background task failed, which ends its services: the disk is full/)
  }),
)

test(
  'what configuration and flags say reaches services, and the log can be JSON lines',
  onRabbitmq,
  () =>
    withProject(async (project) => {
      const source = `import { config, once } from 'clew'
export class Configured {
  static readonly name = 'cli_run_configured'
  settings = config()
  @once begin(): void {
    throw new Error(\`price \${this.settings.price} \${this.settings.size}\`)
  }
}`
      const path = await fileIn(project, 'configured.ts', source)
      await fileIn(project, 'clew.config.yaml', `price: \${PRICE:3}\nLOGGING: { format: json }\n`)
      const args = ['run', path, '-d', 'size=[1, 2]', '--json']
      const clew = startClew(args, { cwd: project, env: { CLEW_BROKER: address, PRICE: '7' } })
      await clew.says('price 7 1,2')
      await clew.says('running cli_run_configured')
      clew.kill('SIGTERM')
      const { code, stdout, stderr } = await clew.ended
      assert.equal(code, 0, stderr)
      assert.deepEqual(JSON.parse(stdout).services[0].methods, [])
      const lines = stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      assert.deepEqual(lines.map(({ level }) => level).sort(), ['error', 'info', 'info', 'info'])
      const failed = lines.find(({ level }) => level === 'error')
      assert.deepEqual([failed.service, failed.error.name], ['cli_run_configured', 'Error'])
    }),
)

test('a service that requires grants shows its tree to callers with one', onRabbitmq, () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'greeting.ts', GREETING)
    const key = `${project}/key.json`
    await runClew(['token', 'key', '-o', key])
    const env = { CLEW_BROKER: address }
    const flags = ['--profile', '--grant-key', key, '--require-grant']
    const clew = startClew(['run', path, ...flags], { env })
    await clew.says('Ctrl-C lets running calls end')
    const making = ['token', 'make', '--key', key, '--audience', 'cli_run_greeting', '-s', 'full']
    const grant = (await runClew(making)).stdout.trim()
    const calling = ['call', 'cli_run_greeting.hello', 'Ada', '--trace', '--json']
    for (const [CLEW_GRANT, handled] of [
      [grant, 'number'],
      ['', 'undefined'],
    ] as const) {
      const { stdout, stderr } = await runClew(calling, { env: { ...env, CLEW_GRANT } })
      assert.equal(typeof JSON.parse(stdout).trace?.calls[0].handleMs, handled, stderr)
    }
    clew.kill('SIGTERM')
    await clew.ended
  }),
)
