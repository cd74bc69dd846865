import { BinaryWriter } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'

/** One side of a call, as every format can tell it. */
export interface Told {
  readonly id: string
  readonly parent: string | undefined
  readonly kind: 'client' | 'server' | 'internal'
  readonly service: string
  readonly name: string
  readonly startUs: number
  readonly durationUs: number
}

/** What a call has to be read as: times in milliseconds by moment. */
export type Calls = Readonly<Record<string, unknown>>

export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const MODES = ['pair', 'server', 'client', 'local'] as const

const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
const drawn = fc.array(
  fc.record({
    mode: fc.constantFrom(...MODES),
    up: fc.nat(),
    ...{ name: text, service: text },
    startUs: fc.integer({ min: 1_600_000_000_000_000, max: 1_900_000_000_000_000 }),
    durationUs: fc.nat(),
  }),
  { minLength: 1, maxLength: 12 },
)

const idOf = (index: number, side: number) => (index * 2 + side + 1).toString(16).padStart(16, '0')

/** Records of one trace and the calls that they are; `shared` gives both sides of a call one id. */
export const trees = fc.tuple(drawn, fc.boolean()).map(([draws, shared]) => {
  const records: Told[] = []
  const calls: Record<string, unknown> = {}
  const above: { id: string; call: string; service: string }[] = []
  draws.forEach(({ mode, up, name, startUs, durationUs, ...own }, index) => {
    const parent = above.length === 0 ? undefined : above[up % above.length]
    const local = mode === 'local' && parent !== undefined
    const service = local || (mode === 'client' && parent) ? parent!.service : own.service
    const [id, other] = [idOf(index, 0), shared ? idOf(index, 0) : idOf(index, 1)]
    const side = { id, parent: parent?.id, service, name, startUs, durationUs }
    const same = { service, method: name, parent: parent?.call ?? null }
    const [begin, end] = [startUs / 1_000, (startUs + durationUs) / 1_000]
    if (mode === 'pair') {
      const asker = parent?.service ?? 'asker'
      records.push({ ...side, kind: 'client', service: asker, name: `ask ${name}` })
      const inner = { startUs: startUs + 1, durationUs: durationUs + 1 }
      const from = shared ? side.parent : id
      records.push({ ...side, ...inner, kind: 'server', id: other, parent: from })
      const work = [(startUs + 1) / 1_000, (startUs + durationUs + 2) / 1_000]
      const asked = { service: asker, method: `ask ${name}` }
      calls[id] = {
        ...same,
        edge: 'call',
        from: asked,
        times: { 0: begin, 1: work[0], 2: work[1], 3: end },
      }
    } else if (mode === 'client') {
      records.push({ ...side, kind: 'client' })
      const from = { service, method: name }
      calls[id] = { ...same, edge: 'call', from, times: { 0: begin, 3: end } }
    } else {
      records.push({ ...side, kind: mode === 'local' ? 'internal' : 'server' })
      calls[id] = { ...same, edge: local ? 'local' : 'call', times: { 1: begin, 2: end } }
    }
    if (mode !== 'client') above.push({ id: mode === 'pair' ? other : id, call: id, service })
  })
  return { records, calls: calls as Calls, shared }
})

export function writeJaeger(records: readonly Told[], trace = TRACE): string {
  const spans = records.map(({ id, parent, kind, service, name, startUs, durationUs }) => ({
    ...{ traceID: trace, spanID: id, operationName: name },
    references: parent ? [{ refType: 'CHILD_OF', traceID: trace, spanID: parent }] : [],
    ...{ startTime: startUs, duration: durationUs, processID: `p ${service}` },
    tags: [{ key: 'span.kind', type: 'string', value: kind }],
  }))
  const processes = records.map(({ service }) => [`p ${service}`, { serviceName: service }])
  const whole = { traceID: trace, spans, processes: Object.fromEntries(processes) }
  return `{"data":[${JSON.stringify(whole)}]}`
}

export function writeZipkin(records: readonly Told[], trace = TRACE): string {
  const spans = records.map(({ id, parent, kind, service, name, startUs, durationUs }) => ({
    ...{ traceId: trace, id, ...(parent && { parentId: parent }) },
    ...(kind !== 'internal' && { kind: kind.toUpperCase() }),
    ...{ name, timestamp: startUs, duration: durationUs, localEndpoint: { serviceName: service } },
  }))
  return JSON.stringify(spans)
}

const NUMBERS = { internal: 1, server: 2, client: 3 }

export function writeOtlp(records: readonly Told[], trace = TRACE): string {
  const resourceSpans = records.map(({ id, parent, kind, service, name, startUs, durationUs }) => {
    const span = {
      ...{ traceId: trace, spanId: id, ...(parent && { parentSpanId: parent }), name },
      kind: NUMBERS[kind],
      startTimeUnixNano: `${startUs}000`,
      endTimeUnixNano: `${startUs + durationUs}000`,
    }
    const attributes = [{ key: 'service.name', value: { stringValue: service } }]
    return { resource: { attributes }, scopeSpans: [{ spans: [span] }] }
  })
  return JSON.stringify({ resourceSpans })
}

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

/** The resource stands behind its records, as it may. */
export function writeProtobuf(records: readonly Told[], trace = TRACE): Uint8Array {
  const writer = new BinaryWriter()
  for (const { id, parent, kind, service, name, startUs, durationUs } of records) {
    writer.tag(1, 2).fork().tag(2, 2).fork().tag(2, 2).fork()
    writer.tag(1, 2).bytes(bytesOf(trace)).tag(2, 2).bytes(bytesOf(id))
    if (parent !== undefined) writer.tag(4, 2).bytes(bytesOf(parent))
    writer.tag(5, 2).string(name).tag(6, 0).int32(NUMBERS[kind])
    writer.tag(7, 1).fixed64(BigInt(startUs) * 1_000n)
    writer.tag(8, 1).fixed64(BigInt(startUs + durationUs) * 1_000n)
    writer.join().join()
    writer.tag(1, 2).fork().tag(1, 2).fork().tag(1, 2).string('service.name')
    writer.tag(2, 2).fork().tag(1, 2).string(service).join().join().join().join()
  }
  return writer.finish()
}
