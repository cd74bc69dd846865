import type { Interning } from '../trace/interning.ts'
import type { SideKind } from './side.ts'
import { numberTag, type Tags, textTag } from './tags.ts'

/** What tags say of a record beside how it ended. */
export interface TagFacts {
  readonly kind: SideKind | undefined
  /** 1 for the first try. */
  readonly attempt: number | undefined
  readonly peer: string | undefined
  /** It asks a database or a cache. */
  readonly down: boolean
}

const KINDS: readonly SideKind[] = ['client', 'server', 'producer', 'consumer', 'internal']
const RESENT = ['http.request.resend_count', 'http.resend_count', 'retry.count', 'retry_count']
const PEER = ['peer.service', 'service.peer.name']
const STORE = ['db.system', 'db.system.name', 'db.type', 'db.statement', 'db.query.text']
const MORE_STORE = [
  'db.instance',
  'db.name',
  'sql.query',
  'cassandra.query',
  'cache.key',
  'cache.hit',
]

/** A kind by its name, in whatever letters; undefined for any other. */
export function kindOf(value: unknown): SideKind | undefined {
  if (typeof value !== 'string') return undefined
  const name = value.toLowerCase().replace('span_kind_', '')
  return KINDS.find((kind) => kind === name)
}

export function factsOf(tags: Tags, texts: Interning): TagFacts {
  const resent = numberTag(tags, RESENT)
  const peer = textTag(tags, PEER)
  return {
    kind: kindOf(tags.get('span.kind')),
    attempt:
      resent !== undefined && resent >= 0 && resent < 1e6 ? Math.floor(resent) + 1 : undefined,
    peer: peer === undefined ? undefined : texts.of(peer),
    down: [...STORE, ...MORE_STORE].some((key) => tags.has(key)),
  }
}
