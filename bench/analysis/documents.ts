import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { encodeEntries } from 'clew/trace'
import { type Moment, type Shape, tellMoments } from './made-calls.ts'

export type Format = 'clew' | 'jaeger' | 'otlp'

export const FORMATS: readonly Format[] = ['clew', 'jaeger', 'otlp']

/** 2026-11-25, milliseconds since 1970. */
const BEGIN_MS = 1_795_564_800_000
const SERVICES = 20
const METHODS = 3
const HOSTS = 8

export interface WantedFile {
  readonly path: string
  readonly format: Format
  readonly shape: Shape
  /** Calls of each trace. */
  readonly calls: number
  readonly traces: number
}

/**
 * Writes a file with traces of so many calls each. Every record stands on a line of its own, so that
 * the same file can be read by `JSON.parse` line by line however long it is.
 */
export async function writeDocument({
  path,
  format,
  shape,
  calls,
  traces,
}: WantedFile): Promise<void> {
  const file = createWriteStream(path)
  let lines = ''
  const pieces: string[] = []
  const write = (line: string) => {
    lines += line
    if (lines.length < 1_000_000) return
    pieces.push(lines)
    lines = ''
  }
  const flush = async () => {
    pieces.push(lines)
    lines = ''
    for (const piece of pieces.splice(0)) {
      if (!file.write(piece)) await new Promise<void>((resolve) => file.once('drain', resolve))
    }
  }
  for (let trace = 0; trace < traces; trace++) {
    const id = `4bf92f3577b34da6${(trace + 1).toString(16).padStart(16, '0')}`
    if (format === 'clew') writeEntries(id, trace, shape, calls, write)
    else if (format === 'jaeger') writeJaeger(id, shape, calls, write)
    else writeOtlp(id, shape, calls, write)
    if (trace % 1000 === 999) await flush()
  }
  await flush()
  file.end()
  await finished(file)
}

const callId = (call: number) => (0x1d2c3b4a + call).toString(16).padStart(16, '79b8ca640c90d8ee')
const serviceOf = (call: number) => `service_${String(call % SERVICES).padStart(2, '0')}`
const methodOf = (call: number) => `method_of_${call % METHODS}`
const hostOf = (call: number) => `host-${call % HOSTS}.example`

function writeEntries(
  trace: string,
  number: number,
  shape: Shape,
  calls: number,
  write: (line: string) => void,
): void {
  const begin = BEGIN_MS + number * 50
  tellMoments(shape, calls, ({ kind, us, call, parent, seq, made }) => {
    const [service, method, id] = [serviceOf(call), methodOf(call), callId(call)]
    const outside = kind === 'rpc-request' || kind === 'rpc-finish'
    const host = hostOf(outside ? parent : call)
    const timeMs = begin + us / 1000
    const names = { kind, timeMs, host, pid: 4711, service, method, id, trace }
    const above = parent < 0 ? null : callId(parent)
    if (kind === 'rpc-request') write(encodeEntries([{ ...names, parent: above, seq }]))
    else if (kind === 'rpc-receive') {
      write(encodeEntries([{ ...names, parent: above, inFlight: 1 + (call % 5) }]))
    } else if (kind === 'rpc-respond') {
      write(encodeEntries([{ ...names, status: 'ok', calls: made }]))
    } else write(encodeEntries([{ ...names, status: 'ok' }]))
  })
}

/** A record of one side of a call, as other systems keep it. */
interface Side {
  readonly kind: 'client' | 'server'
  readonly id: string
  readonly parent: string | undefined
  /** By whose number its service is known. */
  readonly owner: number
  readonly call: number
  readonly fromUs: number
  readonly toUs: number
}

const clientId = (call: number) => (0x1d2c3b4a + call).toString(16).padStart(16, 'c0ffee640c90d8ee')

/** Puts the two moments of each side together; those that are open lie on a stack. */
function tellSides(shape: Shape, calls: number, tell: (side: Side) => void): void {
  const begun: number[] = []
  tellMoments(shape, calls, ({ kind, us, call, parent }: Moment) => {
    if (kind === 'rpc-request' || kind === 'rpc-receive') {
      begun.push(us)
      return
    }
    const lasted = { call, fromUs: begun.pop()!, toUs: us }
    if (kind === 'rpc-respond') {
      const above = parent < 0 ? undefined : clientId(call)
      tell({ kind: 'server', id: callId(call), parent: above, owner: call, ...lasted })
    } else {
      tell({ kind: 'client', id: clientId(call), parent: callId(parent), owner: parent, ...lasted })
    }
  })
}

function writeJaeger(
  traceID: string,
  shape: Shape,
  calls: number,
  write: (line: string) => void,
): void {
  write(`{"data":[{"traceID":"${traceID}","spans":[`)
  let separator = '\n'
  tellSides(shape, calls, ({ kind, id, parent, owner, call, fromUs, toUs }) => {
    const references =
      parent === undefined ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parent }]
    const record = {
      ...{ traceID, spanID: id, operationName: methodOf(call), references },
      ...{ startTime: BEGIN_MS * 1000 + fromUs, duration: toUs - fromUs },
      tags: [{ key: 'span.kind', type: 'string', value: kind }],
      ...{ logs: [], processID: `p${owner % SERVICES}`, warnings: null },
    }
    write(separator + JSON.stringify(record))
    separator = ',\n'
  })
  const processes: Record<string, object> = {}
  for (let service = 0; service < SERVICES; service++) {
    const tags = [{ key: 'hostname', type: 'string', value: hostOf(service) }]
    processes[`p${service}`] = { serviceName: serviceOf(service), tags }
  }
  write(`\n],"processes":${JSON.stringify(processes)},"warnings":null}]}\n`)
}

/** Most records of a batch, as an exporter sends them. */
const BATCH = 50

/** As a collector writes them to a file: a line for each batch of a process. */
function writeOtlp(
  traceId: string,
  shape: Shape,
  calls: number,
  write: (line: string) => void,
): void {
  const batches = new Map<number, object[]>()
  const send = (service: number, spans: readonly object[]) => {
    const attributes = [
      { key: 'service.name', value: { stringValue: serviceOf(service) } },
      { key: 'host.name', value: { stringValue: hostOf(service) } },
    ]
    const scopeSpans = [{ scope: { name: 'made' }, spans }]
    write(`${JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] })}\n`)
  }
  tellSides(shape, calls, ({ kind, id, parent, owner, call, fromUs, toUs }) => {
    const service = owner % SERVICES
    const batch = batches.get(service) ?? []
    batches.set(service, batch)
    batch.push({
      ...{ traceId, spanId: id, parentSpanId: parent ?? '', name: methodOf(call) },
      kind: kind === 'server' ? 2 : 3,
      startTimeUnixNano: nanoseconds(fromUs),
      endTimeUnixNano: nanoseconds(toUs),
      ...{ attributes: [], status: {} },
    })
    if (batch.length === BATCH) send(service, batch.splice(0))
  })
  for (const [service, batch] of batches) if (batch.length > 0) send(service, batch)
}

const nanoseconds = (us: number) => String(BigInt(BEGIN_MS * 1000 + us) * 1000n)
