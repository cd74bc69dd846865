import { spanIdOf, traceIdOf } from './ids.ts'
import { outcomeOf } from './outcome.ts'
import { withOwn } from './own-facts.ts'
import type { Reading } from './reading.ts'
import type { Place, Side, SideKind } from './side.ts'
import { factsOf } from './tag-facts.ts'
import type { TagList } from './tags.ts'

/** What both writings of OTLP say of a record. */
export interface OtlpSpan {
  readonly traceId: unknown
  readonly spanId: unknown
  readonly parentSpanId: unknown
  readonly name: string
  readonly kind: SideKind | undefined
  readonly startMs: number | undefined
  readonly endMs: number | undefined
  readonly list: TagList
  readonly verdict: 'ok' | 'error' | undefined
  readonly message: string | undefined
  readonly exception: boolean
  readonly exceptionClass: string | undefined
  readonly links: readonly { readonly traceId: unknown; readonly spanId: unknown }[]
}

/** Their numbers in OTLP. */
export const OTLP_KINDS: readonly (SideKind | undefined)[] = [
  ...[undefined, 'internal', 'server', 'client', 'producer', 'consumer'],
] as const

/** Takes a record to those of its trace. */
export function takeOtlp(span: OtlpSpan, place: Place, reading: Reading, where: string): void {
  const trace = traceIdOf(span.traceId)
  const id = spanIdOf(span.spanId)
  if (trace === undefined || id === undefined) {
    const lacks = trace === undefined ? 'trace' : 'span'
    reading.problems.add('unreadable', `${where}: a span without a ${lacks} id`)
  } else if (span.startMs === undefined && span.endMs === undefined) {
    reading.problems.add('unreadable', `${where}: a span without a time`, id)
  } else {
    reading.traces.add(trace, sideOf(span, trace, id, place, reading))
  }
}

function sideOf(span: OtlpSpan, trace: string, id: string, place: Place, { texts }: Reading): Side {
  const { list, kind } = span
  const { tags } = list
  const facts = factsOf(tags, texts)
  const told = spanIdOf(span.parentSpanId)
  const linked = told === undefined && kind === 'consumer' ? linkOf(span, trace) : undefined
  const near = linked?.trace === trace ? linked.parent : undefined
  if (span.message !== undefined && span.message !== '') {
    list.put('otel.status_description', span.message)
  }
  const side: Side = {
    id,
    parentId: told === id ? null : (told ?? near ?? null),
    follows: near !== undefined,
    ...{ kind, shared: false, place },
    name: texts.of(span.name),
    ...{ startMs: span.startMs, endMs: span.endMs },
    outcome: outcomeOf({
      ...{ kind, tags, verdict: span.verdict, message: span.message },
      ...{ exception: span.exception, exceptionClass: span.exceptionClass },
    }),
    ...{ attempt: facts.attempt, peer: facts.peer, down: facts.down },
    attributes: list.attributes(),
    foreign: near === undefined ? linked : undefined,
    own: undefined,
  }
  return withOwn(side, tags)
}

/** A consumer that has no parent is below the producer that it links to, here or in another trace. */
function linkOf(span: OtlpSpan, trace: string) {
  let foreign: { trace: string; parent: string } | undefined
  for (const link of span.links) {
    const parent = spanIdOf(link.spanId)
    if (parent === undefined) continue
    const other = traceIdOf(link.traceId) ?? trace
    if (other === trace) return { trace, parent }
    foreign ??= { trace: other, parent }
  }
  return foreign
}
