import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTree } from '../trace/index.ts'
import { read } from './read.test.ts'

const START = 1_700_000_000_000_000

function zipkin(id: string, more: Record<string, unknown> = {}) {
  const times = { timestamp: START, duration: 1_000 }
  const localEndpoint = { serviceName: `at ${id}` }
  return { traceId: 'a1', id, name: `do ${id}`, ...times, localEndpoint, ...more }
}

function tree(...spans: readonly unknown[]) {
  const { traces, problems } = read('zipkin', JSON.stringify(spans))
  const { root } = callTree(traces[0]!)
  return { root, problems: problems.map(({ kind }) => kind) }
}

const CLIENT = { kind: 'CLIENT' }
const SERVER = { kind: 'SERVER', parentId: '1' }

test('a client with several servers is above them all', () => {
  const { root } = tree(zipkin('1', CLIENT), zipkin('2', SERVER), zipkin('3', SERVER))
  assert.equal(root.presence, '1001')
  assert.deepEqual(
    root.calls.map(({ presence }) => presence),
    ['0110', '0110'],
  )
})

test('the same record twice is one, another of the same id is kept, and both are told', () => {
  const twice = tree(zipkin('1'), zipkin('2', SERVER), zipkin('2', SERVER))
  assert.deepEqual([twice.root.calls.length, twice.problems], [1, ['duplicate']])
  const other = tree(zipkin('1'), zipkin('2', SERVER), zipkin('2', { ...SERVER, name: 'else' }))
  assert.deepEqual([other.root.calls.length, other.problems], [2, ['duplicate']])
})

test('short and long ids of one trace are one trace, whatever the letters', () => {
  const long = {
    ...zipkin('00000000000000BC', SERVER),
    traceId: `${'f'.repeat(16)}00000000000000A1`,
  }
  const { root } = tree(zipkin('1'), long)
  assert.equal(root.calls[0]?.id, '00000000000000bc')
})

test('a deadline is a timeout where no server answered within it', () => {
  const gaveUp = { ...CLIENT, tags: { error: 'deadline exceeded' } }
  assert.equal(tree(zipkin('1', gaveUp)).root.status, 'timeout')
  const slow = tree(zipkin('1', gaveUp), zipkin('2', { ...SERVER, duration: 5_000 })).root
  assert.deepEqual([slow.status, slow.late], ['timeout', true])
  const quick = tree(zipkin('1', gaveUp), zipkin('2', { ...SERVER, duration: 500 })).root
  assert.equal(quick.status, 'error')
})

test('what a server answers to a wrong question is no failure of it', () => {
  const status = (kind: string, tags: object) => tree(zipkin('1', { kind, tags })).root.status
  assert.equal(status('SERVER', { 'http.status_code': '404' }), 'ok')
  assert.equal(status('CLIENT', { 'http.status_code': '404' }), 'ok')
  assert.equal(status('SERVER', { 'http.status_code': '503' }), 'error')
  assert.equal(status('SERVER', { 'grpc.status_code': '5' }), 'ok')
  assert.equal(status('CLIENT', { 'grpc.status_code': '5' }), 'error')
  assert.equal(status('SERVER', { 'grpc.status_code': 'UNAVAILABLE' }), 'error')
  assert.equal(status('SERVER', { error: 'false' }), 'ok')
})

test('a client that makes further calls does not stand for one of them', () => {
  const place = { localEndpoint: { serviceName: 'user' } }
  const journey = zipkin('1', { kind: 'CLIENT', name: 'journey', ...place })
  const inner = zipkin('2', { kind: 'CLIENT', name: 'add to cart', parentId: '1', ...place })
  const server = zipkin('3', { ...SERVER, parentId: '1' })
  for (const records of [
    [journey, inner, server],
    [journey, server, inner],
  ]) {
    const { root } = tree(...records)
    assert.deepEqual(
      [root.method, ...root.calls.map(({ id }) => id.slice(-1)).sort()],
      ['journey', '2', '3'],
    )
  }
})
