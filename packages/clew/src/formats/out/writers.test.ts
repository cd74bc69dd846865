import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { callTree, type Entry, parseTraces, type Trace } from '../../trace/index.ts'
import { encodeChrome } from './chrome.ts'
import { encodeClew } from './clew.ts'
import { encodeCsv } from './csv.ts'
import { encodeJaeger } from './jaeger.ts'
import { encodeOtlp } from './otlp.ts'
import { encodeOtlpProtobuf } from './otlp-protobuf.ts'
import { encodeSpeedscope } from './speedscope.ts'
import { encodeZipkin } from './zipkin.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const T0 = 1_795_386_521_833
const idOf = (number: number) => number.toString(16).padStart(16, 'a')

/** A call of a root with any number of calls at any times, each of them whole or one side of it. */
const traces: fc.Arbitrary<Trace> = fc
  .array(
    fc.record({
      parent: fc.nat(),
      from: fc.nat(5_000),
      long: fc.nat(5_000),
      service: fc.constantFrom('orders', '=1+1', 'naïve "café"', '</script>', ''),
      sides: fc.constantFrom('both', 'caller', 'callee'),
      edge: fc.constantFrom('call', 'event', 'local', 'down', 'next'),
      status: fc.constantFrom('ok', 'error', 'timeout'),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((calls) => {
    const entries = calls.flatMap((call, at): Entry[] => {
      const parent = at === 0 ? null : idOf(call.parent % at)
      const same = { service: call.service, method: 'get', id: idOf(at), trace: TRACE, parent }
      const edge = { edge: call.edge as NonNullable<Entry['edge']> }
      const status = { status: call.status as NonNullable<Entry['status']> }
      const [from, to] = [T0 + call.from / 8, T0 + (call.from + call.long) / 8]
      const caller: Entry[] = [
        { kind: 'rpc-request', timeMs: from, host: 'vm-1', ...same, ...edge },
        { kind: 'rpc-finish', timeMs: to, host: 'vm-1', ...same, ...status },
      ]
      const callee: Entry[] = [
        { kind: 'rpc-receive', timeMs: from, host: 'vm-2', ...same, ...edge },
        { kind: 'rpc-respond', timeMs: to, host: 'vm-2', ...same, ...status },
      ]
      return [
        ...(call.sides === 'callee' ? [] : caller),
        ...(call.sides === 'caller' ? [] : callee),
      ]
    })
    return { id: TRACE, entries, folds: [], missing: [], relays: [], complete: true }
  })

const textOf = (parts: Iterable<string>) => [...parts].join('')

describe('writers of other formats', () => {
  it('write JSON that holds each call, whatever its name', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const { calls } = callTree(trace)
        const both = trace.entries.length / 2
        const jaeger = JSON.parse(textOf(encodeJaeger([trace])))
        assert.equal(jaeger.data[0].spans.length, both)
        const ids = new Set(jaeger.data[0].spans.map((one: { spanID: string }) => one.spanID))
        assert.equal(ids.size, both)
        assert.equal(JSON.parse(textOf(encodeZipkin([trace]))).length, both)
        const otlp = JSON.parse(textOf(encodeOtlp([trace])))
        const scopes = otlp.resourceSpans.flatMap(
          (one: { scopeSpans: unknown[] }) => one.scopeSpans,
        )
        const spans = scopes.flatMap((one: { spans: unknown[] }) => one.spans)
        assert.equal(spans.length, both)
        assert.ok([...encodeOtlpProtobuf([trace])].length > 0)
        assert.equal(
          textOf(encodeCsv([trace]))
            .trimEnd()
            .split('\r\n').length,
          calls + 1,
        )
      }),
      { numRuns: 60 },
    )
  })

  it('write a document without any trace', () => {
    assert.equal(textOf(encodeJaeger([])).replace(/\s/g, ''), '{"data":[]}')
    assert.deepEqual(JSON.parse(textOf(encodeZipkin([]))), [])
    assert.deepEqual(JSON.parse(textOf(encodeOtlp([]))), { resourceSpans: [] })
    assert.deepEqual(JSON.parse(textOf(encodeChrome([]))).traceEvents, [])
    assert.deepEqual(JSON.parse(textOf(encodeSpeedscope([]))).profiles, [])
    assert.match(textOf(encodeCsv([])), /^trace,id,parent,.*\r\n$/)
  })

  it('write Clew’s own format without a loss', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const { traces: read } = parseTraces(textOf(encodeClew([trace])))
        assert.deepEqual(read, [trace])
      }),
      { numRuns: 40 },
    )
  })
})

describe('trace events', () => {
  it('of one lane lie inside each other or apart', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const { traceEvents } = JSON.parse(textOf(encodeChrome([trace])))
        type Slice = { ph: string; pid: number; tid: number; ts: number; dur: number }
        const lanes = Map.groupBy(
          (traceEvents as Slice[]).filter(({ ph }) => ph === 'X'),
          ({ pid, tid }) => `${pid}/${tid}`,
        )
        for (const slices of lanes.values()) {
          for (const a of slices) {
            for (const b of slices) {
              const partly = a.ts < b.ts && b.ts < a.ts + a.dur && a.ts + a.dur < b.ts + b.dur
              assert.ok(!partly, `${JSON.stringify(a)} and ${JSON.stringify(b)}`)
            }
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('have both ends of each arrow', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const { traceEvents } = JSON.parse(textOf(encodeChrome([trace])))
        const ids = (phase: string) =>
          (traceEvents as { ph: string; id: string }[])
            .filter(({ ph }) => ph === phase)
            .map(({ id }) => id)
            .sort()
        assert.deepEqual(ids('s'), ids('f'))
      }),
      { numRuns: 40 },
    )
  })
})

describe('speedscope', () => {
  it('opens and closes frames in balance, never back in time', () => {
    fc.assert(
      fc.property(traces, (trace) => {
        const { profiles, shared } = JSON.parse(textOf(encodeSpeedscope([trace])))
        assert.equal(profiles.length, 2)
        for (const { events, endValue } of profiles) {
          const open: number[] = []
          let last = 0
          for (const { type, frame, at } of events) {
            assert.ok(at >= last && at <= endValue && shared.frames[frame] !== undefined)
            last = at
            if (type === 'O') open.push(frame)
            else assert.equal(open.pop(), frame)
          }
          assert.deepEqual(open, [])
        }
        const { root, totalMs } = callTree(trace)
        if (profiles[1].events.length > 0)
          assert.ok(profiles[1].endValue <= root.offsetMs + totalMs + 1e-6)
      }),
      { numRuns: 60 },
    )
  })
})

describe('CSV', () => {
  it('has no cell that a spreadsheet would run, and numbers stay numbers', () => {
    const place = { service: '=HYPERLINK("http://x","y")', method: '@a\n,b', id: '1', host: '-h' }
    const entries: Entry[] = [
      { kind: 'rpc-receive', timeMs: T0 + 0.25, ...place },
      { kind: 'rpc-respond', timeMs: T0 - 1, ...place },
    ]
    const trace = { id: TRACE, entries, folds: [], missing: [], relays: [], complete: true }
    const text = textOf(encodeCsv([trace]))
    assert.ok(text.includes(`"'=HYPERLINK(""http://x"",""y"")","'@a\n,b"`), text)
    assert.ok(text.includes(`\r\n${TRACE},1,,0,call,`), text)
    assert.ok(text.includes(`,'-h,`) && text.includes(`,${T0}.25,${T0 - 1},`), text)
  })
})

describe('any depth', () => {
  it('is written without recursion', () => {
    const entries: Entry[] = []
    for (let at = 0; at < 10_000; at++) {
      const parent = at === 0 ? null : idOf(at - 1)
      const same = { service: 's', method: 'm', id: idOf(at), host: 'h', trace: TRACE, parent }
      entries.push({ kind: 'rpc-receive', timeMs: T0 + at / 100, ...same })
      entries.push({ kind: 'rpc-respond', timeMs: T0 + 500 - at / 100, ...same })
    }
    const trace = { id: TRACE, entries, folds: [], missing: [], relays: [], complete: true }
    for (const encode of [encodeOtlp, encodeJaeger, encodeChrome, encodeSpeedscope, encodeCsv]) {
      let length = 0
      for (const part of encode([trace])) length += part.length
      assert.ok(length > 10_000)
    }
  })
})
