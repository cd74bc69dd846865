import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

function traceLines(trace = TRACE): string {
  const at = 1_795_386_521_833
  const line = (kind: string, ms: number, more = {}) => {
    const place = { host: 'vm-1', service: 'orders', method: 'get', id: '79b8ca640c90d8ee', trace }
    return `${JSON.stringify({ ...place, [kind]: at + ms, parent: null, ...more })}\n`
  }
  return [
    line('rpc-request', 0),
    line('rpc-receive', 1.25),
    line('rpc-respond', 9.75, { status: 'error', error: 'NotFound' }),
    line('rpc-finish', 11, { status: 'error', error: 'NotFound' }),
  ].join('')
}

test('each format is written, and those that can be are read back', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'orders.jsonl', traceLines())
    for (const format of ['clew', 'otlp', 'otlp-protobuf', 'jaeger', 'zipkin']) {
      const out = join(directory, `out.${format}`)
      const { code, stderr } = await runClew(['convert', file, '--to', format, '-o', out])
      assert.equal(code, 0, stderr)
      assert.match(stderr, /has 1 trace of 1 calls/)
      const shown = await runClew(['show', out, '--json'])
      const { trace } = JSON.parse(shown.stdout)
      assert.deepEqual([trace.calls.length, trace.calls[0].presence], [1, '1111'], format)
      assert.ok(shown.stdout.includes(TRACE))
      assert.match(shown.stdout, /"error":"NotFound"/)
    }
    for (const format of ['chrome', 'speedscope', 'csv']) {
      const { code, stdout } = await runClew(['convert', file, '--to', format])
      assert.equal(code, 0)
      assert.match(stdout, /orders/)
    }
    const page = await runClew(['convert', file, '-o', join(directory, 'page.html')])
    assert.equal(page.code, 0, page.stderr)
    assert.match(await readFile(join(directory, 'page.html'), 'utf8'), /^<!doctype html>/)
  }))

test('a failure leaves no half of a file, and what was there stays', () =>
  withDirectory(async (directory) => {
    const out = await fileIn(directory, 'out.csv', 'kept')
    const { code } = await runClew(['convert', join(directory, 'none'), '-o', out])
    assert.equal(code, 3)
    assert.deepEqual(await readdir(directory), ['out.csv'])
    assert.equal(await readFile(out, 'utf8'), 'kept')
  }))

test('what makes no sense is told', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'orders.jsonl', traceLines())
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[file], 2, /--to is missing/],
      [[file, '-o', join(directory, 'x.json')], 2, /says no format/],
      [[file, '--to', 'jaeger', '--json'], 2, /--json needs -o/],
      [[file, '--to', 'html'], 2, /needs -o OUT/],
      [[file, '--to', 'csv', '--trace', '7'], 3, /has no trace with number 7/],
      [[file, '--to', 'csv', '-o', join(directory, 'no', 'x.csv')], 1, /directory does not exist/],
    ]
    for (const [args, exit, words] of cases) {
      const { code, stderr } = await runClew(['convert', ...args])
      assert.equal(code, exit, stderr)
      assert.match(stderr, words)
    }
  }))

test('directories are read in the order of names, compressed files too, others passed over', () =>
  withDirectory(async (directory) => {
    const inside = join(directory, 'traces')
    await mkdir(join(inside, 'below'), { recursive: true })
    const id = (digit: string) => digit.repeat(32)
    await fileIn(inside, 'b.gz', gzipSync(traceLines(id('2'))))
    await fileIn(join(inside, 'below'), 'c.zst', zstdCompressSync(Buffer.from(traceLines(id('3')))))
    await fileIn(inside, 'a.jsonl', traceLines(id('1')))
    await fileIn(inside, '.hidden', traceLines(id('4')))
    await fileIn(inside, 'notes.txt', 'no trace')
    const { stdout, stderr } = await runClew(['show', inside, '--json'])
    const ids = JSON.parse(stdout).traces.map((trace: { id: string }) => trace.id)
    assert.deepEqual(ids, [id('1'), id('2'), id('3')])
    assert.match(stderr, /notes\.txt: no traces, passed over/)
  }))

test('what each service wrote of a trace by itself is one trace, each call with both sides', () =>
  withDirectory(async (directory) => {
    const record = (id: string, kind: string, serviceName: string, parentId?: string) => ({
      ...{ traceId: 'a1', id, kind, name: 'get', timestamp: 1_700_000_000_000_000, duration: 900 },
      ...{ localEndpoint: { serviceName }, ...(parentId && { parentId }) },
    })
    const gateway = [record('1', 'SERVER', 'gateway'), record('2', 'CLIENT', 'gateway', '1')]
    await fileIn(directory, 'gateway.json', JSON.stringify(gateway))
    await fileIn(directory, 'orders.json', JSON.stringify([record('3', 'SERVER', 'orders', '2')]))
    const { stdout } = await runClew(['show', directory, '--json'])
    const { trace } = JSON.parse(stdout)
    assert.deepEqual(
      trace.calls.map(({ service, presence }: Record<string, string>) => [service, presence]),
      [
        ['gateway', '0110'],
        ['orders', '1111'],
      ],
    )
  }))

test('a damaged archive gives what was whole, and a bomb is refused', () =>
  withDirectory(async (directory) => {
    const lines = traceLines() + ' \n'.repeat(50_000)
    const whole = gzipSync(lines)
    const cut = await fileIn(directory, 'cut.gz', whole.subarray(0, whole.length - 20))
    const { code, stderr } = await runClew(['show', cut])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /damaged, or cut off/)
    const bomb = await fileIn(directory, 'bomb.zst', zstdCompressSync(Buffer.alloc(200 * 2 ** 20)))
    const refused = await runClew(['convert', bomb, '--to', 'csv'])
    assert.equal(refused.code, 7, refused.stderr)
    assert.match(refused.stderr, /becomes too large when it is decompressed/)
  }))

test('a trace that is in two files counts once, and which is listed first stays first', () =>
  withDirectory(async (directory) => {
    const other = '5bf92f3577b34da6a3ce929d0e0e4736'
    await fileIn(directory, 'a.jsonl', traceLines() + traceLines(other))
    await fileIn(directory, 'b.jsonl', traceLines())
    const { traces } = JSON.parse((await runClew(['show', directory, '--json'])).stdout)
    assert.deepEqual(
      traces.map(({ id, calls, failed }: Record<string, unknown>) => [id, calls, failed]),
      [
        [TRACE, 1, 1],
        [other, 1, 1],
      ],
    )
  }))

test('what another system kept stays so, in Clew’s own files too', () =>
  withDirectory(async (directory) => {
    const record = { traceId: 'a1', id: '1', kind: 'CLIENT', name: 'get', duration: 900 }
    const text = JSON.stringify([{ ...record, timestamp: 1_700_000_000_000_000 }])
    const file = await fileIn(directory, 'zipkin.json', text)
    const own = join(directory, 'own.jsonl')
    assert.equal((await runClew(['convert', file, '-o', own])).code, 0)
    assert.match(await readFile(own, 'utf8'), /"source":"zipkin"/)
    const again = join(directory, 'again.zipkin.json')
    assert.equal((await runClew(['convert', own, '-o', again])).code, 0)
    for (const path of [file, own, again]) {
      const { trace } = JSON.parse((await runClew(['show', path, '--json'])).stdout)
      assert.deepEqual([trace.source, trace.complete], ['zipkin', true], path)
    }
  }))

test('a page is of many files, and what was there stays until it is whole', () =>
  withDirectory(async (directory) => {
    const other = '5bf92f3577b34da6a3ce929d0e0e4736'
    const first = await fileIn(directory, 'a.jsonl', traceLines())
    const second = await fileIn(directory, 'b.jsonl', traceLines(other))
    const out = await fileIn(directory, 'out.html', 'kept')
    // Whoever has it open goes on reading what was there: it is replaced, not written over.
    const before = await stat(out)
    const { code, stderr } = await runClew(['convert', first, second, '-o', out])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /has 2 traces of 2 calls as html/)
    assert.notEqual((await stat(out)).ino, before.ino)
    assert.deepEqual(await readdir(directory), ['a.jsonl', 'b.jsonl', 'out.html'])
  }))
