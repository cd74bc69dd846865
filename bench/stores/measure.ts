import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { madePackets } from '@clew/collector/testing'
import { encodeOtlpProtobuf, encodeZipkin } from 'clew/formats'
import { Assembly, readPacket } from 'clew/trace/blocks'
import { quantile } from '../harness/statistics.ts'
import type { Store, StoreKind } from './store.ts'

/** Calls in a request, two spans each. */
const REQUEST_CALLS = 1_000
/** Requests under way at a time. */
const SENDERS = 4
/** Longer than this nobody is waited for. */
const STORED_MS = 120_000
const TIMES = 50
const MINUTE_MS = 60_000

/** The same traces in the forms that the stores take. */
export interface Traffic {
  readonly calls: number
  readonly fromMs: number
  readonly toMs: number
  readonly ids: readonly string[]
  readonly bodies: Readonly<Record<StoreKind['form'], readonly Uint8Array[]>>
}

/** What one store did with the traffic in one round. */
export interface StoreResult {
  readonly name: string
  /** Until everything was answered, and until everything was stored. */
  readonly takenPerS: number
  readonly storedPerS: number
  /** Processor time of the store, microseconds a call. */
  readonly cpuUs: number
  readonly peakBytes: number
  /** Its folder after it has ended, bytes a call. */
  readonly diskBytes: number
  /** Share of the spans that it stored. */
  readonly kept: number
  readonly traceMs: number
  readonly searchMs: number
  readonly mapMs: number
}

export function traffic(calls: number, overMs: number): Traffic {
  const fromMs = Date.now() - overMs
  const ids: string[] = []
  const protobuf: Uint8Array[] = []
  const json: Uint8Array[] = []
  let traces: ReturnType<Assembly['finish']>[] = []
  let [made, held] = [0, 0]
  const close = () => {
    protobuf.push(Buffer.concat([...encodeOtlpProtobuf(traces)]))
    json.push(new TextEncoder().encode([...encodeZipkin(traces)].join('')))
    traces = []
    held = 0
  }
  for (const packet of madePackets(Math.ceil(calls / 18), { fromMs, overMs })) {
    const { traceId, root } = readPacket(packet.bytes)!
    const assembly = new Assembly(traceId)
    assembly.addRoot(root!.record, root!, root!.block)
    traces.push(assembly.finish())
    ids.push(packet.traceId)
    made += packet.calls
    held += packet.calls
    if (held >= REQUEST_CALLS) close()
  }
  if (held > 0) close()
  const bodies = { 'OTLP protobuf': protobuf, 'Zipkin JSON': json }
  return { calls: made, fromMs, toMs: fromMs + overMs, ids, bodies }
}

/** Starts a store with nothing in it, sends it the traffic and asks it about that. */
export async function measureStore(kind: StoreKind, sent: Traffic): Promise<StoreResult> {
  const folder = await mkdtemp(join(tmpdir(), 'clew-bench-store-'))
  try {
    const result = await measureIn(folder, kind, sent)
    return { ...result, diskBytes: (await bytesIn(folder)) / sent.calls }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureIn(folder: string, kind: StoreKind, sent: Traffic): Promise<StoreResult> {
  await using store = await kind.start(folder)
  const type = kind.form === 'Zipkin JSON' ? 'application/json' : 'application/x-protobuf'
  const [cpuS, began] = [await store.cpuS(), performance.now()]
  await send(store.url, type, sent.bodies[kind.form])
  const takenS = (performance.now() - began) / 1_000
  const stored = await storedOf(store, 2 * sent.calls)
  const storedS = (performance.now() - began) / 1_000
  const used = (await store.cpuS()) - cpuS
  return {
    name: kind.name,
    takenPerS: sent.calls / takenS,
    storedPerS: sent.calls / storedS,
    cpuUs: (used * 1e6) / sent.calls,
    diskBytes: 0,
    kept: stored / (2 * sent.calls),
    ...(await answersOf(store, sent)),
    peakBytes: await store.peakBytes(),
  }
}

async function answersOf(store: Store, { ids, fromMs, toMs }: Traffic) {
  const service = () => `orders_${Math.floor(Math.random() * 3)}`
  const fiveMinutes = () => fromMs + Math.random() * (toMs - fromMs - 5 * MINUTE_MS)
  const traceMs = await p95Of(() => store.trace(ids[Math.floor(Math.random() * ids.length)]!))
  const searchMs = await p95Of(() => {
    const from = Math.round(fiveMinutes())
    return store.search(service(), from, from + 5 * MINUTE_MS)
  })
  // An answer of nothing would be fast, and say nothing.
  const newest = await store.search(service(), fromMs, toMs)
  if (!newest.includes('orders_')) throw new Error(`${store.url}: nothing is found`)
  const mapMs = await p95Of(() => store.map(fromMs, toMs), 10)
  return { traceMs, searchMs, mapMs }
}

async function p95Of(ask: () => Promise<string>, times = TIMES): Promise<number> {
  await ask()
  const took: number[] = []
  for (let time = 0; time < times; time++) {
    const began = performance.now()
    await ask()
    took.push(performance.now() - began)
  }
  return quantile(took, 0.95)
}

async function send(url: string, type: string, bodies: readonly Uint8Array[]): Promise<void> {
  let next = 0
  const sender = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      while (!(await took(url, type, body))) await sleep(50)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
}

/** False when it says that it has too much to do. */
async function took(url: string, type: string, body: Uint8Array): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    body: body as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': type },
  })
  const text = await response.text()
  if (response.ok) return true
  if (response.status === 429 || response.status === 503) return false
  throw new Error(`${url}: ${response.status} ${text.slice(0, 200)}`)
}

/** Spans stored when all are, or when no more come in time. */
async function storedOf(store: Store, spans: number): Promise<number> {
  const until = performance.now() + STORED_MS
  for (;;) {
    const stored = await store.stored()
    if (stored >= spans || performance.now() > until) return stored
    await sleep(50)
  }
}

async function bytesIn(folder: string): Promise<number> {
  const { stdout } = await promisify(execFile)('du', ['-s', '--block-size=1', folder])
  return Number.parseInt(stdout, 10)
}
