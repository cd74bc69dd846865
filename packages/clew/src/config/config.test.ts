import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  brokerOf,
  clientOptions,
  jsonLine,
  loadConfig,
  logger,
  logSettings,
  maskSecrets,
  runOptions,
  textLine,
} from './index.ts'

async function withFile(text: string, body: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'clew-config-'))
  try {
    const path = join(folder, 'clew.config.yaml')
    await writeFile(path, text)
    await body(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('a file, over it definitions, and everything that run takes from them', () =>
  withFile(
    `AMQP_URI: amqp://ada:\${SECRET}@rabbit:5673/shop
max_workers: 20
PREFETCH_COUNT: 40
TIMEOUT_MS: 5000
DELIVERY: fast
serializer: json
ACCEPT: [json]
rpc_exchange: shop-rpc
LOGGING: { version: 1, root: { level: WARNING } }
prices: { apple: 3 }
`,
    async (file) => {
      const config = await loadConfig({
        file,
        define: ['max_workers=7', 'feature=[a, b]', 'empty=', 'name=${WHO}'],
        env: { SECRET: 's', WHO: 'Ada' },
      })
      assert.equal(config.file, file)
      assert.deepEqual(config.warnings, [])
      const { broker, log, ...options } = runOptions(config)
      assert.equal(broker.name, 'amqp://ada@rabbit:5673/shop')
      assert.equal(typeof log, 'function')
      assert.deepEqual(options, {
        config: config.values,
        maxWorkers: 7,
        prefetch: 40,
        ...clientOptions(config),
      })
      assert.deepEqual(clientOptions(config), {
        timeoutMs: 5000,
        delivery: 'fast',
        serializer: 'json',
        accept: ['json'],
        rpcExchange: 'shop-rpc',
      })
      assert.deepEqual(config.values.prices, { apple: 3 })
      assert.deepEqual(config.values.feature, ['a', 'b'])
      assert.deepEqual([config.values.empty, config.values.name], [null, 'Ada'])
      assert.deepEqual(logSettings(config.values), { level: 'warn', format: undefined })
    },
  ))

test('without a file there is an empty configuration, and an empty file is one', async () => {
  const { file, values } = await loadConfig({ define: [] })
  assert.deepEqual([file, values], [undefined, {}])
  await withFile('# nothing\n', async (path) => {
    assert.deepEqual((await loadConfig({ file: path })).values, {})
  })
})

test('what a key cannot be is told with file, line and key, and never with a password', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'a: 1\nmax_workers: ten\n',
      /:2: max_workers must be a whole number from 1 to 65535; got "ten"\.$/,
    ],
    ['max_workers: 0\n', /:1: max_workers must be a whole number/],
    ['\n\nWEB_SERVER_ADDRESS: 8000\n', /:3: WEB_SERVER_ADDRESS must be HOST:PORT/],
    ['AMQP_URI: [amqp://u:secret@h]\n', /:1: AMQP_URI must be an address .*; got a list/],
    ['ACCEPT:\n  - json\n  - 3\n', /:3: ACCEPT\.1 must name a serializer/],
    ['LOGGING:\n  root:\n    level: LOUD\n', /LOGGING.*(?:level|must be)/],
    ['LOGIN_METHOD: GSSAPI\n', /LOGIN_METHOD must be PLAIN, AMQPLAIN or EXTERNAL/],
    ['AMQP_SSL: { cert_reqs: 0 }\n', /certificates are always checked/],
    ['DELIVERY: quick\n', /must be nameko or fast/],
    ['- a\n- b\n', /it must hold keys and values.*it is a list/],
    ['secret\n', /it is a single string\.$/],
  ]
  for (const [text, says] of cases) {
    await withFile(text, async (file) => {
      await assert.rejects(loadConfig({ file }), { name: 'ConfigError', message: says }, text)
      const { message } = (await loadConfig({ file }).catch((error) => error)) as Error
      assert.ok(message.startsWith(file), message)
      assert.doesNotMatch(message, /secret/)
    })
  }
})

test('files that cannot be used, and definitions that define nothing', async () => {
  await assert.rejects(
    loadConfig({ file: 'nowhere.yaml' }),
    /nowhere\.yaml cannot be used: there is no such file/,
  )
  await assert.rejects(
    loadConfig({ file: tmpdir() }),
    /cannot be used: it cannot be read \(EISDIR\)/,
  )
  await assert.rejects(
    loadConfig({ define: ['max_workers'] }),
    /"max_workers" defines nothing; write KEY=VALUE/,
  )
  await assert.rejects(loadConfig({ define: ['=3'] }), /defines nothing/)
  await assert.rejects(loadConfig({ define: ['x=[1'] }), /--define x: /)
  await assert.rejects(
    loadConfig({ define: ['max_workers=x'] }),
    /--define max_workers must be a whole number/,
  )
  await withFile('x: 1\n#'.padEnd(1024 * 1024 + 2, '-'), async (file) => {
    await assert.rejects(loadConfig({ file }), /larger than 1048576 bytes/)
  })
})

test('likely misspellings, and keys that mean nothing here, are told and passed on', () =>
  withFile('AMQP_URL: x\nmaxWorkers: 3\nSERIALIZERS: {}\nprices: 1\nmy_key: 2\n', async (file) => {
    const { warnings, values } = await loadConfig({ file })
    assert.equal(warnings.length, 3)
    assert.match(warnings[0]!, /:1: AMQP_URL is no key of the framework; did you mean AMQP_URI\?/)
    assert.match(warnings[1]!, /:2: maxWorkers .* did you mean max_workers\?/)
    assert.match(warnings[2]!, /:3: SERIALIZERS is not used: /)
    assert.equal(values.AMQP_URL, 'x')
  }))

test('the broker: TLS by AMQP_SSL, in process by memory, and files of certificates that are not there', () => {
  const of = (values: Record<string, unknown>) => brokerOf({ file: 'f.yaml', values, warnings: [] })
  assert.equal(of({}).name, 'amqp://guest@localhost:5672/')
  assert.equal(of({ AMQP_URI: 'pyamqp://h' }).name, 'amqp://guest@h:5672/')
  assert.equal(of({ AMQP_URI: 'amqp://h', AMQP_SSL: true }).name, 'amqps://guest@h:5671/')
  assert.equal(of({ AMQP_URI: 'memory://' }).name, 'memory')
  assert.throws(
    () => of({ AMQP_SSL: { ca_certs: 'gone.pem' } }),
    /f\.yaml: AMQP_SSL\.ca_certs names gone\.pem, which cannot be read \(ENOENT\)/,
  )
  assert.throws(
    () => of({ AMQP_URI: 'http://u:secret@h' }),
    (error: Error) => !error.message.includes('secret'),
  )
})

test('secrets are stars: in addresses, by their key, and everything below such a key', () => {
  const masked = maskSecrets({
    AMQP_URI: 'amqp://ada:pa:s/s@w0rd@rabbit/shop',
    db: { url: 'postgres://u:p@h/d?sslpassword=x&application_name=y', password: 'x', pool: 3 },
    auth_token: 7,
    API_KEY: 'k',
    secrets: { one: ['a', { two: 'b' }], none: null },
    hosts: ['redis://:p@a, redis://:q@b'],
    key: '-----BEGIN RSA PRIVATE KEY-----\nabc',
    empty_password: '',
    author: 'Ada',
    monkey: 'x',
    parent_calls_tracked: 10,
    url: 'https://example.org/a?page=2',
  })
  assert.deepEqual(masked, {
    AMQP_URI: 'amqp://ada:********@rabbit/shop',
    db: {
      url: 'postgres://u:********@h/d?sslpassword=********&application_name=y',
      password: '********',
      pool: 3,
    },
    auth_token: '********',
    API_KEY: '********',
    secrets: { one: ['********', { two: '********' }], none: null },
    hosts: ['redis://:********@a, redis://:********@b'],
    key: '********',
    empty_password: '',
    author: 'Ada',
    monkey: 'x',
    parent_calls_tracked: 10,
    url: 'https://example.org/a?page=2',
  })
})

test('secrets are stars in whatever form they come', () => {
  const forms: readonly (readonly [given: unknown, shown: unknown])[] = [
    ['host=db user=me password=hunter2 dbname=x', 'host=db user=me password=******** dbname=x'],
    ["password='hunter 2' host=db", 'password=******** host=db'],
    ['Password=hunter2;Server=db', 'Password=********'],
    ['amqp://me:hunter,2;"x@h', 'amqp://me:********@h'],
    ['amqp://a:hunter2@h,amqp://b:hunter2@i', 'amqp://a:********@h,amqp://b:********@i'],
    ['https://hunter2@git.example/x.git', 'https://********@git.example/x.git'],
    ['Authorization: Bearer hunter2.hunter2', 'Authorization: Bearer ********'],
    ['{"password": "hun\\"ter2", "port": 1}', '{"password": "********", "port": 1}'],
    [{ 'api-key': 'x', apiKey: 'x', pwd: 'x', key: 'x', jwt_key: 'x', pw: 'x' }, '********'],
    [{ partition_key: 'a', keyboard: 'b', pwned: 'c' }, undefined],
    [
      [
        { name: 'DB_PASSWORD', value: 'hunter2' },
        { key: 'token', value: ['hunter2'] },
      ],
      [
        { name: 'DB_PASSWORD', value: '********' },
        { key: 'token', value: ['********'] },
      ],
    ],
    [{ name: 'port', value: 'x' }, undefined],
    [new Uint8Array([104, 105]), '********'],
    [new Map([['password', 'hunter2']]), {}],
  ]
  for (const [given, shown] of forms) {
    const masked = maskSecrets({ given }) as { given: unknown }
    if (shown === '********' && typeof given === 'object' && !(given instanceof Uint8Array)) {
      assert.deepEqual(new Set(Object.values(masked.given as object)), new Set([shown]))
    } else assert.deepEqual(masked.given, shown ?? given)
  }
  // Nothing that somebody writes into a file takes long.
  for (const piece of ['a', 'a:', 'a://', 'a://b:c', '?', '"', 'pass', 'pass=', "'", 'Bearer ']) {
    maskSecrets(piece.repeat(200_000 / piece.length))
  }
})

test('logs: by level, as text or JSON lines', () => {
  const at = new Date(0)
  const error = new RangeError('out')
  const lines: string[] = []
  const log = logger({ level: 'warn', format: 'json' }, (line) => lines.push(line))
  log({ level: 'info', message: 'no' })
  log({ level: 'warn', message: 'line\nbreak', service: 's', method: 'm', callId: 'c' })
  assert.equal(lines.length, 1)
  assert.deepEqual(
    { ...JSON.parse(lines[0]!), time: 0 },
    {
      ...{ time: 0, level: 'warn', message: 'line\nbreak', service: 's', method: 'm', callId: 'c' },
    },
  )
  const told = JSON.parse(jsonLine({ level: 'error', message: 'x', error }, at))
  assert.deepEqual(
    [told.time, told.error.name, told.error.message],
    [at.toISOString(), 'RangeError', 'out'],
  )
  assert.match(
    textLine({ level: 'error', message: 'x', error }, at),
    /^1970-01-01T00:00:00\.000Z error x\nRangeError: out\n/,
  )
  const line = (message: string) => textLine({ level: 'warn', message, error }, at).slice(25)
  assert.deepEqual([line('x'), line('x is out')], ['warn x: out', 'warn x is out'])
  const forged = { level: 'error', message: 'a\n2020 error b\x1b[2J\x9b', error } as const
  assert.equal(
    textLine(forged, at).split('\n')[0],
    `${at.toISOString()} error a\\u000a2020 error b\\u001b[2J\\u009b`,
  )
  assert.equal(JSON.parse(jsonLine(forged, at)).message, forged.message)
  assert.ok(!jsonLine(forged, at).includes('\x9b'))
  assert.deepEqual(logSettings({ LOGGING: 'critical' }), { level: 'error' })
  assert.deepEqual(logSettings({}), {})
})
