import { randomBytes } from 'node:crypto'
import { madePackets } from '@clew/collector/testing'
import { encodeOtlp, encodeOtlpProtobuf } from 'clew/formats'
import { Assembly, encodeBatch, readPacket } from 'clew/trace/blocks'
import { quantile } from '../harness/statistics.ts'
import type { CollectorProcess } from './collector-process.ts'

/** Calls in a request: what `httpSink` sends at a time, about. */
const BATCH_CALLS = 5_000
/** Requests under way at a time. */
const SENDERS = 16
/** Requests that are made before they are sent: making them is not what is measured. */
const MADE_AHEAD_CALLS = 1_000_000

export type Form = 'blocks' | 'OTLP protobuf' | 'OTLP JSON'

export interface IngestResult {
  readonly form: Form
  readonly calls: number
  /** From the first request until everything was durable, found and counted. */
  readonly callsPerS: number
  readonly ackP50Ms: number
  readonly ackP99Ms: number
  /** Processor time a call, microseconds: the collector's, and the generator's while it sent. */
  readonly collectorUs: number
  readonly generatorUs: number
  readonly peakBytes: number
  readonly bytesACall: number
}

interface Body {
  readonly path: string
  readonly type: string
  readonly bytes: Uint8Array
  readonly calls: number
}

/** Sends so many calls and waits until they are durable and counted. */
export async function ingest(
  collector: CollectorProcess,
  form: Form,
  calls: number,
  period: { readonly fromMs: number; readonly overMs: number },
): Promise<IngestResult> {
  const bodies = bodiesOf(form, calls, period)
  const acks: number[] = []
  let [sentMs, sent, bytes, collectorS, generatorUs] = [0, 0, 0, 0, 0]
  for (;;) {
    const some: Body[] = []
    let made = 0
    while (made < MADE_AHEAD_CALLS) {
      const { value, done } = bodies.next()
      if (done === true) break
      some.push(value)
      made += value.calls
    }
    if (some.length === 0) break
    const [before, cpu, began] = [await collector.cpuS(), process.cpuUsage(), performance.now()]
    await send(collector.url, some, acks)
    const used = process.cpuUsage(cpu)
    await collector.settled()
    sentMs += performance.now() - began
    generatorUs += used.user + used.system
    collectorS += (await collector.cpuS()) - before
    sent += made
    for (const body of some) bytes += body.bytes.length
  }
  acks.sort((a, b) => a - b)
  return {
    ...{ form, calls: sent, callsPerS: (sent / sentMs) * 1_000 },
    ...{ ackP50Ms: quantile(acks, 0.5), ackP99Ms: quantile(acks, 0.99) },
    ...{ collectorUs: (collectorS * 1e6) / sent, generatorUs: generatorUs / sent },
    ...{ peakBytes: await collector.peakBytes(), bytesACall: bytes / sent },
  }
}

async function send(url: string, bodies: readonly Body[], acks: number[]): Promise<void> {
  let next = 0
  const sender = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const began = performance.now()
      await post(url, body)
      acks.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
}

async function post(url: string, { path, type, bytes }: Body): Promise<void> {
  for (;;) {
    const response = await fetch(url + path, {
      method: 'POST',
      body: bytes as Uint8Array<ArrayBuffer>,
      headers: { 'content-type': type },
    })
    const text = await response.text()
    if (response.ok) return
    if (response.status !== 429 && response.status !== 503) throw new Error(text)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function* bodiesOf(
  form: Form,
  calls: number,
  period: { readonly fromMs: number; readonly overMs: number },
): Generator<Body> {
  const traces = Math.ceil(calls / 18)
  const seed = randomBytes(4).readUInt32LE()
  let packets: Uint8Array[] = []
  let held = 0
  for (const { bytes, calls: more } of madePackets(traces, { seed, ...period })) {
    packets.push(bytes)
    held += more
    if (held < BATCH_CALLS) continue
    yield bodyOf(form, packets, held)
    packets = []
    held = 0
  }
  if (held > 0) yield bodyOf(form, packets, held)
}

const sender = { name: 'bench', host: 'bench', pid: process.pid, instance: 'be'.repeat(8) }
let taken = 0

function bodyOf(form: Form, packets: readonly Uint8Array[], calls: number): Body {
  if (form === 'blocks') {
    taken += calls
    const id = randomBytes(16).toString('hex')
    const bytes = encodeBatch({ id, sender, taken, dropped: {}, packets })
    return { path: '/v1/batches', type: 'application/vnd.clew.batch', bytes, calls }
  }
  const traces = packets.map((packet) => {
    const { traceId, root } = readPacket(packet)!
    const assembly = new Assembly(traceId)
    assembly.addRoot(root!.record, root!, root!.block)
    return assembly.finish()
  })
  const path = '/v1/traces'
  if (form === 'OTLP JSON') {
    const bytes = new TextEncoder().encode([...encodeOtlp(traces)].join(''))
    return { path, type: 'application/json', bytes, calls }
  }
  return {
    path,
    type: 'application/x-protobuf',
    bytes: Buffer.concat([...encodeOtlpProtobuf(traces)]),
    calls,
  }
}
