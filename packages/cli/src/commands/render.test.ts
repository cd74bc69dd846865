import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'
import { failedTrace, wellTrace } from '../sample-traces.test.ts'

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

test('a picture is drawn in the format that its name asks for', () =>
  withDirectory(async (directory) => {
    const trace = await fileIn(directory, 'failed.jsonl', failedTrace())
    for (const view of ['tree', 'waterfall', 'flame', 'critical-path']) {
      const [png, svg] = ['png', 'SVG'].map((kind) => join(directory, `${view}.${kind}`))
      const drawn = await runClew(['render', trace, '-o', png!, '--view', view])
      assert.deepEqual([drawn.code, drawn.stdout], [0, ''])
      assert.match(drawn.stderr, new RegExp(`${view} of 2 calls`))
      const bytes = await readFile(png!)
      assert.deepEqual(bytes.subarray(0, 8), PNG)
      assert.ok(bytes.length > 10_000)
      assert.equal((await runClew(['render', trace, '--out', svg!, '--view', view])).code, 0)
      const text = await readFile(svg!, 'utf8')
      assert.match(text, /^<svg /)
      assert.match(text, view === 'critical-path' ? /Look first at/ : /BankUnavailable/)
    }
  }))

test('render --json tells what was drawn', () =>
  withDirectory(async (directory) => {
    const out = join(directory, 'x.svg')
    const { code, stdout } = await runClew(['render', '-', '2', '-o', out, '--json'], {
      stdin: wellTrace() + failedTrace(),
    })
    assert.equal(code, 0)
    const { schema, file, view, bytes, calls } = JSON.parse(stdout)
    assert.deepEqual([schema, file, view, calls], [1, out, 'tree', 2])
    assert.equal(bytes, (await stat(out)).size)
  }))

test('of several traces one must be chosen', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'both.jsonl', wellTrace() + failedTrace())
    const { code, stderr } = await runClew(['render', path, '-o', join(directory, 'x.svg')])
    assert.equal(code, 2)
    assert.match(stderr, /has 2 traces; say which one\n.*try: clew render .* 1 -o/)
  }))

test('what cannot be drawn or written is told', () =>
  withDirectory(async (directory) => {
    const trace = await fileIn(directory, 'well.jsonl', wellTrace())
    const out = join(directory, 'x.png')
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[trace, '-o', join(directory, 'x.gif')], 2, /neither in \.png nor in \.svg/],
      [[trace], 2, /--out needs a value/],
      [[trace, '-o', join(directory, 'no', 'x.png')], 1, /its directory does not exist/],
      [[trace, '-o', join(trace, 'x.svg')], 1, /a part of its path is a file/],
      [[trace, '9', '-o', out], 3, /has no trace with number 9/],
      [[trace, '-o', out, '--view', 'ring'], 2, /--view is one of tree, waterfall, flame/],
      [[join(directory, 'none'), '-o', out], 3, /there is no file/],
      [[await fileIn(directory, 'empty', ''), '-o', out], 7, /is empty/],
    ]
    for (const [args, exit, says] of cases) {
      const { code, stdout, stderr } = await runClew(['render', ...args])
      assert.deepEqual([code, stdout], [exit, ''], args.join(' '))
      assert.match(stderr, says)
    }
  }))

test('a page has all traces of a file, or the one that is chosen', () =>
  withDirectory(async (directory) => {
    const path = await fileIn(directory, 'both.jsonl', wellTrace() + failedTrace())
    const out = join(directory, 'x.html')
    const all = await runClew(['render', path, '-o', out, '--json'])
    assert.equal(all.code, 0)
    const { schema, version, view, bytes, traces } = JSON.parse(all.stdout)
    assert.deepEqual([schema, version, view, traces], [1, 1, 'page', 2])
    assert.equal(bytes, (await stat(out)).size)
    const whole = await readFile(out, 'utf8')
    assert.match(whole, /BankUnavailable/)
    const one = await runClew(['render', path, '1', '-o', out])
    assert.deepEqual([one.code, one.stdout], [0, ''])
    assert.match(one.stderr, /has 1 trace; open it in a browser/)
    assert.doesNotMatch(await readFile(out, 'utf8'), /BankUnavailable/)
    const none = await runClew(['render', path, '-o', join(directory, 'no', 'x.html'), '--json'])
    assert.equal(none.code, 1)
    assert.match(JSON.parse(none.stdout).error.message, /cannot be written|does not exist/)
  }))
