import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { test } from 'node:test'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'
import { FAILED, failedTrace, WELL, wellTrace } from '../sample-traces.test.ts'

const both = () => wellTrace() + failedTrace()

test('show prints the tree of the only trace, its times and nothing else', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'hello.jsonl', wellTrace())
    const { code, stdout, stderr } = await runClew(['show', path])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /greeting\.hello .*10\.0 ms/)
    assert.match(stdout, /[└┗].*ids\.next .*4\.00 ms/)
    assert.match(stdout, new RegExp(WELL))
    assert.doesNotMatch(stdout, /\n\n$/)
  }))

test('show tells which service failed first and who only passed it on', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'failed.jsonl', failedTrace())
    const { stdout } = await runClew(['show', path])
    assert.match(stdout, /bank\.authorize .*BankUnavailable/)
    assert.match(stdout, /checkout\.pay only passed it on/)
  }))

test('several traces are a numbered list; a number or a part of an id picks one', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'both.jsonl', both())
    const list = await runClew(['show', path])
    assert.equal(list.code, 0)
    assert.match(list.stdout, /^1 .* greeting\.hello/m)
    assert.match(list.stdout, /^2 .* checkout\.pay/m)
    assert.match(list.stderr, /2 traces; clew show .*both\.jsonl N/)
    for (const which of ['2', FAILED, FAILED.slice(-8), FAILED.slice(-8).toUpperCase()]) {
      const { code, stdout } = await runClew(['show', path, which])
      assert.equal(code, 0)
      assert.match(stdout, /checkout\.pay/)
      assert.doesNotMatch(stdout, /greeting\.hello/)
    }
  }))

test('lines of two traces may be mixed, and a part that came late joins its trace', () =>
  withDirectory(async (directory) => {
    const [well, failed] = [wellTrace(), failedTrace()].map((text) => text.trim().split('\n'))
    const mixed = well!.flatMap((line, at) => [line, failed![at]!])
    const path = await fileIn(directory, 'mixed.jsonl', mixed.join('\n'))
    const { stdout } = await runClew(['show', path, '1', '--json'])
    const { trace } = JSON.parse(stdout)
    assert.deepEqual([trace.id, trace.callCount, trace.complete], [WELL, 2, true])
  }))

test('a trace that is not there is told, with exit code 3', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'both.jsonl', both())
    for (const which of ['3', '0', 'beef']) {
      const { code, stdout, stderr } = await runClew(['show', path, which])
      assert.deepEqual([code, stdout], [3, ''], which)
      assert.match(stderr, /has no trace with/)
    }
    const ambiguous = await runClew(['show', path, WELL.slice(0, 16)])
    assert.equal(ambiguous.code, 2)
    assert.match(ambiguous.stderr, new RegExp(`${WELL}, ${FAILED}`))
  }))

test('files that cannot be read are told apart', () =>
  withDirectory(async (directory) => {
    const binary = Uint8Array.from({ length: 4096 }, (_, at) => (at * 151 + (at >> 3)) % 256)
    const cases: readonly (readonly [string, number, RegExp])[] = [
      [`${directory}/none.jsonl`, 3, /there is no file .*none\.jsonl/],
      [await mkdtemp(`${directory}/none-`), 7, /none-\w+ is empty/],
      [await fileIn(directory, 'empty.jsonl', ''), 7, /empty\.jsonl is empty/],
      [await fileIn(directory, 'binary', binary), 7, /nothing in .*binary could be read/],
      [await fileIn(directory, 'none.json', '{"data":[]}'), 7, /it lists no traces/],
      [`${directory}/emtpy.jsonl`, 3, /there is no file/],
      [await fileIn(directory, 'other.json', '{"a":1}\n'), 7, /line 1 has no moment of a call/],
    ]
    for (const [path, exit, says] of cases) {
      const { code, stdout, stderr } = await runClew(['show', path])
      assert.deepEqual([code, stdout], [exit, ''], path)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\n {4}at /)
      const json = await runClew(['show', path, '--json'])
      assert.equal(json.code, exit)
      const { schema, error } = JSON.parse(json.stdout)
      assert.equal(schema, 1)
      assert.match(`${error.message}\n${error.why}`, says)
    }
  }))

test('a damaged file shows what can be read and says what cannot', () =>
  withDirectory(async (directory) => {
    const lines = wellTrace().trim().split('\n')
    const damaged = [...lines.slice(0, 3), 'not json', ...lines.slice(3)].join('\n')
    const whole = await runClew(['show', await fileIn(directory, 'damaged.jsonl', damaged)])
    assert.equal(whole.code, 0)
    assert.match(whole.stdout, /ids\.next/)
    assert.match(whole.stderr, /line 4 is not JSON/)
    const cut = await runClew([
      'show',
      await fileIn(directory, 'cut.jsonl', lines.slice(0, 4).join('\n')),
    ])
    assert.equal(cut.code, 0)
    assert.match(cut.stdout, /partial/)
  }))

test('show reads stdin', async () => {
  const { code, stdout } = await runClew(['show', '-'], { stdin: wellTrace() })
  assert.equal(code, 0)
  assert.match(stdout, /greeting\.hello/)
  const empty = await runClew(['show', '-'])
  assert.equal(empty.code, 7)
  assert.match(empty.stderr, /stdin is empty/)
})

test("the paper's plain list of entries is read", async () => {
  const entries = wellTrace()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const entry of entries) {
    delete entry.trace
    delete entry.parent
  }
  const { code, stdout } = await runClew(['show', '-'], { stdin: JSON.stringify(entries, null, 2) })
  assert.equal(code, 0)
  assert.match(stdout, /greeting\.hello/)
  assert.match(stdout, /[└┗].*ids\.next/)
})

test('show --json is one value: the tree, or the list', async () => {
  const one = await runClew(['show', '-', '--json'], { stdin: failedTrace() })
  const { schema, trace } = JSON.parse(one.stdout)
  assert.equal(schema, 1)
  assert.equal(trace.callCount, 2)
  assert.deepEqual(
    trace.calls.map(({ service, depth, totalMs, error }: Record<string, unknown>) => [
      service,
      depth,
      totalMs,
      error,
    ]),
    [
      ['checkout', 0, 30, 'BankUnavailable'],
      ['bank', 1, 24, 'BankUnavailable'],
    ],
  )
  assert.equal(trace.calls[1].parent, trace.calls[0].id)
  const several = await runClew(['show', '-', '--json'], { stdin: both() })
  const { traces } = JSON.parse(several.stdout)
  assert.deepEqual(
    traces.map(({ number, id, failed }: Record<string, unknown>) => [number, id, failed]),
    [
      [1, WELL, 0],
      [2, FAILED, 2],
    ],
  )
})

test('lines fit the width, in ASCII where asked', async () => {
  for (const width of [40, 60, 100, 160]) {
    const args = ['show', '-', '--width', String(width), '--ascii']
    const { code, stdout } = await runClew(args, { stdin: failedTrace() })
    assert.equal(code, 0)
    for (const line of stdout.split('\n')) assert.ok(line.length <= width, `${width}: ${line}`)
    assert.match(stdout, /^[\x20-\x7e\n]*$/)
  }
  assert.equal((await runClew(['show', '-', '--width', '7'])).code, 2)
  assert.equal((await runClew(['show', '-', '--width', 'wide'])).code, 2)
})

test('names cannot steer the terminal', async () => {
  const evil = '\x1b]0;owned\x07\x1b[2J\u202egnp\u009b31m'
  for (const extra of [[], ['--json'], ['--full']]) {
    const { code, stdout } = await runClew(['show', '-', ...extra], { stdin: wellTrace(evil) })
    assert.equal(code, 0)
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
  }
  const list = await runClew(['show', '-'], { stdin: wellTrace(evil) + failedTrace() })
  assert.doesNotMatch(list.stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
})

test('a file and a trace are all it takes', async () => {
  assert.equal((await runClew(['show'])).code, 2)
  assert.equal((await runClew(['show', 'a', '1', '2'])).code, 3)
})

test('a handler of an event that came later is joined, and its trace is whole', () =>
  withDirectory(async (directory) => {
    const trace = 'ab'.repeat(16)
    const line = (id: string, kind: string, ms: number, more: object) =>
      JSON.stringify({ host: 'h', id, trace, [kind]: 1_795_386_521_000 + ms, ...more })
    const root = { service: 'orders', method: 'create', parent: null }
    const event = { service: 'orders.events', method: 'created', parent: 'r', edge: 'event' }
    const handler = { service: 'mailer', method: 'on created', parent: 'e', edge: 'event' }
    const lines = [
      line('r', 'rpc-receive', 0, root),
      line('e', 'rpc-request', 2, event),
      line('e', 'rpc-finish', 3, event),
      line('r', 'rpc-respond', 5, { ...root, calls: 1 }),
      wellTrace().trimEnd(),
      line('h', 'rpc-receive', 700, handler),
      line('h', 'rpc-respond', 900, { ...handler, calls: 0 }),
      JSON.stringify({ partial: true, trace }),
    ]
    const path = await fileIn(directory, 'late.jsonl', `${lines.join('\n')}\n`)
    const { stdout } = await runClew(['show', path, trace, '--json'])
    const { complete, calls } = JSON.parse(stdout).trace
    assert.deepEqual(
      [complete, calls.map(({ id, parent }: Record<string, string>) => [id, parent])],
      [
        true,
        [
          ['r', null],
          ['e', 'r'],
          ['h', 'e'],
        ],
      ],
    )
    assert.match((await runClew(['show', path, trace])).stdout, /mailer on created .*event/)
  }))

test('a trace is shown as blocks over time, or by what its answer waited for', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'failed.jsonl', failedTrace())
    const flame = await runClew(['show', path, '--view', 'flame', '--width', '80', '--ascii'])
    assert.equal(flame.code, 0)
    assert.match(flame.stdout, /\[x checkout\.pay .*100 %/)
    assert.doesNotMatch(flame.stdout, /[^\n\x20-\x7e]/)
    const critical = await runClew(['show', path, '--view', 'critical-path'])
    assert.equal(critical.code, 0)
    assert.match(critical.stdout, /LOOK FIRST AT\n +\d+ % /)
    assert.match(critical.stdout, / 100 % {2}way +checkout\.pay/)
    const wrong = await runClew(['show', path, '--view', 'ring'])
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /--view is one of tree, flame, critical-path/)
  }))

/** A callee whose clock is 500 ms behind. */
const skewed = () =>
  [
    ['one', 'rpc-request', 1_795_386_521_000],
    ['two', 'rpc-receive', 1_795_386_520_530],
    ['two', 'rpc-respond', 1_795_386_520_570],
    ['one', 'rpc-finish', 1_795_386_521_100],
  ]
    .map(([host, kind, time]) =>
      JSON.stringify({
        ...{ host, service: 'orders', method: 'get', [kind!]: time, id: '79b8ca640c90d8ee' },
        ...{ trace: WELL, parent: null },
      }),
    )
    .join('\n')

test('clocks are aligned and told, and left as they are with --raw', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'skewed.jsonl', skewed())
    const treeOf = async (...words: string[]) =>
      JSON.parse((await runClew(['show', path, '--json', ...words])).stdout).trace
    const { clocks, calls } = await treeOf()
    assert.deepEqual(clocks, [{ host: 'two', offsetMs: -500, errorMs: 30, adjusted: true }])
    assert.deepEqual([calls[0].handleOffsetMs, calls[0].legErrorMs], [30, 30])
    const raw = await treeOf('--raw')
    assert.deepEqual([raw.clocks, raw.calls[0].handleOffsetMs], [[], -470])
    const { stdout } = await runClew(['analyze', path])
    assert.match(stdout, /CLOCKS ALIGNED .*\n *two +500 ms behind +30\.0 ms/)
    const picture = await runClew(['render', path, '--raw', '-o', `${directory}/raw.svg`])
    assert.equal(picture.code, 0)
  }))
