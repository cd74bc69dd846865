import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from '../http/api-error.ts'
import type { Asked, Route } from '../http/route.ts'
import { AuditLog } from './audit-log.ts'
import { audited } from './audited.ts'
import { newToken } from './token.ts'

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'clew-audit-'))
  try {
    await work(directory)
  } finally {
    await chmod(directory, 0o700)
    await rm(directory, { recursive: true, force: true })
  }
}

const who = { name: 'ada', tenant: 'shop', address: '10.0.0.1' }

const route = (more: Partial<Route>): Route => ({
  ...{ method: 'GET', path: '/api/traces/{id}', role: 'read', name: 'getTrace', summary: '' },
  handle: async () => new Response('ok'),
  ...more,
})

const asked = (params: Record<string, string> = {}, query = ''): Asked => ({
  request: new Request('http://collector/'),
  subject: { name: 'ada', tenant: 'shop', roles: ['read'] },
  ...{ address: '10.0.0.1', params, query: new URLSearchParams(query) },
  signal: new AbortController().signal,
})

const linesOf = async (directory: string) =>
  (await readFile(join(directory, 'audit.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('reads are told once, changes before and after, everything else not', () =>
  withDirectory(async (directory) => {
    await using log = new AuditLog(join(directory, 'made'), { nowMs: () => 0 })
    await audited(route({}), log).handle(asked({ id: 'ab12' }, 'as=json'))
    const remove = route({ method: 'DELETE', role: 'admin', name: 'deleteTrace' })
    await audited(remove, log).handle(asked({ id: 'ab12' }))
    const failing = async () => {
      throw new ApiError(404, 'no_trace', 'there is none')
    }
    await assert.rejects(audited({ ...remove, handle: failing }, log).handle(asked()), ApiError)
    const silent = route({ path: '/api/statistics' })
    assert.equal(audited(silent, log), silent)
    await log.flush()
    const lines = await linesOf(join(directory, 'made'))
    assert.deepEqual(lines[0], {
      ...{ at: '1970-01-01T00:00:00.000Z', who, what: 'getTrace', route: 'GET /api/traces/{id}' },
      params: [
        ['as', 'json'],
        ['id', 'ab12'],
      ],
      ...{ result: 'ok', status: 200 },
    })
    assert.deepEqual(
      lines.slice(1).map(({ result, status }) => [result, status]),
      [
        ['asked', undefined],
        ['ok', 200],
        ['asked', undefined],
        ['refused', 404],
      ],
    )
    assert.equal(lines[1].id, lines[2].id)
    assert.equal((await stat(join(directory, 'made', 'audit.jsonl'))).mode & 0o777, 0o600)
  }))

test('what cannot be written down is not done', () =>
  withDirectory(async (directory) => {
    const inTheWay = join(directory, 'file')
    await writeFile(inTheWay, '')
    await using log = new AuditLog(inTheWay)
    let done = 0
    const handle = async () => {
      done++
      return new Response()
    }
    const change = audited(route({ method: 'DELETE', handle }), log)
    await assert.rejects(change.handle(asked()), (error: ApiError) => error.status === 503)
    assert.equal(done, 0)
    assert.match(log.problem!, /cannot be written: E/)
    // Reads go on: their loss is counted.
    await audited(route({ handle }), log).handle(asked())
    await log.flush()
    assert.deepEqual([done, log.lost], [1, 2])
    await rm(inTheWay)
    await change.handle(asked())
    assert.deepEqual([done, log.problem], [2, undefined])
  }))

test('no text breaks out of its line, and no token gets into one', () =>
  withDirectory(async (directory) => {
    await using log = new AuditLog(directory)
    const { text } = newToken({ name: 'x', roles: ['read'], lifeMs: undefined })
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.constantFrom('\n{"forged":1}', '\u001b]0;x\u0007', '\u202eabc', '\u2028', '\ud800', text),
      fc.nat(300).map((before) => 'x'.repeat(before) + text),
    )
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.dictionary(hostile, hostile), hostile, async (params, name) => {
        log.note({ who: { ...who, name }, what: name, params, result: name })
        count++
      }),
    )
    await log.flush()
    const file = await readFile(join(directory, 'audit.jsonl'), 'utf8')
    assert.equal(file.split('\n').length - 1, count)
    assert.doesNotMatch(file.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    assert.ok(!file.includes(text.slice(22, 44)))
    for (const line of await linesOf(directory)) assert.deepEqual(line.forged, undefined)
  }))

test('files are put aside when they are large, and the oldest goes', () =>
  withDirectory(async (directory) => {
    for (let run = 0; run < 2; run++) {
      await using log = new AuditLog(directory, { maxBytes: 2000, files: 3 })
      for (let index = 0; index < 60; index++) {
        await log.write({ who, what: `${run} ${index}`, result: 'ok' })
      }
    }
    assert.deepEqual((await readdir(directory)).sort(), [
      'audit.1.jsonl',
      'audit.2.jsonl',
      'audit.jsonl',
    ])
    for (const name of await readdir(directory)) {
      const { size, mode } = await stat(join(directory, name))
      assert.ok(size < 2400)
      assert.equal(mode & 0o777, 0o600)
    }
    assert.equal((await linesOf(directory)).at(-1).what, '1 59')
  }))

test('more than a disk takes at once is refused and counted, not kept in memory', () =>
  withDirectory(async (directory) => {
    await using log = new AuditLog(directory)
    for (let index = 0; index < 3000; index++) log.note({ who, what: 'x', result: 'ok' })
    await log.flush()
    const { length } = await linesOf(directory)
    assert.equal(length + log.lost, 3000)
    assert.ok(log.lost > 0)
  }))
