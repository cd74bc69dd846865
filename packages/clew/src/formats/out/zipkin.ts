import { callTree, type Trace } from '../../trace/index.ts'
import { microsBetween, microsOf } from './micros.ts'
import { records, type SideRecord } from './record.ts'
import { ListMark, pieces, type TraceWriter } from './writer.ts'
import { traceId } from './written-ids.ts'

/**
 * Zipkin's JSON, version 2, as its API takes it: one list of records. Both sides of a call have one id,
 * the server's marked as shared, which is Zipkin's own way. Its endpoints have addresses, no host names:
 * these become a tag.
 */
export function zipkinWriter(): TraceWriter {
  const mark = new ListMark('[')
  return {
    *write(trace, tree = callTree(trace)) {
      const id = traceId(tree)
      for (const record of records(tree)) yield mark.next() + JSON.stringify(spanOf(record, id))
    },
    *end() {
      yield `${mark.rest()}]\n`
    },
  }
}

export const encodeZipkin = (traces: Iterable<Trace>): Generator<string> =>
  pieces(zipkinWriter(), traces)

const ADDRESS = /^\d{1,3}(\.\d{1,3}){3}$/

function spanOf(record: SideRecord, trace: string) {
  const { maker, kind, tags, status, both } = record
  const told: Record<string, string> = {}
  for (const [key, value] of tags) told[key] = String(value)
  const isAddress = ADDRESS.test(maker.host)
  if (maker.host !== '' && !isAddress) told['host.name'] ??= maker.host
  if (maker.pid !== undefined) told['process.pid'] ??= String(maker.pid)
  if (maker.version !== undefined) told['service.version'] ??= maker.version
  if (status !== 'ok' && status !== 'pending') told.error ??= record.error ?? status
  const peer = tags.get('peer.service')
  // An event's consumer is a record of its own below its producer's.
  const shares = both && kind !== 'consumer'
  const spanKind = kind === undefined || kind === 'internal' ? undefined : kind.toUpperCase()
  const shared = shares && kind === 'server'
  return {
    traceId: trace,
    id: shares ? record.callId : record.id,
    parentId: (shares || !both ? record.parentCallId : record.callId) ?? undefined,
    kind: spanKind,
    name: record.name,
    timestamp: microsOf(record.startMs) || undefined,
    // Zipkin has no 0: it means "not told" there, as does none.
    duration: record.ended ? microsBetween(record.startMs, record.endMs) || 1 : undefined,
    localEndpoint: { serviceName: maker.service, ...(isAddress && { ipv4: maker.host }) },
    ...(typeof peer === 'string' && { remoteEndpoint: { serviceName: peer } }),
    ...(shared && { shared }),
    tags: told,
  }
}
