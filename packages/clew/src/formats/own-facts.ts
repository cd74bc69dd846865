import { isOwn, OWN } from './own-tags.ts'
import type { OwnFacts, Side } from './side.ts'
import { numberTag, type Tags, textTag } from './tags.ts'

const EDGES = ['call', 'event', 'down', 'next', 'local'] as const
const SIDES = ['caller', 'callee'] as const
const TIMES = ['start', 'end'] as const
const STATUSES = [
  ...(['ok', 'error', 'rejected', 'timeout', 'cancelled', 'lost', 'pending'] as const),
] as const
/** More calls than this nobody has lost. */
const MOST_CALLS = 1e9

/** A record with what Clew says of it in these tags; as it is where there are none, as in all that others write. */
export function withOwn(side: Side, tags: Tags): Side {
  const own = ownFactsOf(tags, side.startMs)
  if (own === undefined) return side
  const { status, error, known } = own
  return {
    ...{ ...side, own },
    // It was written as if it had been short, of which not all formats have 0.
    ...(known === 'end' && { startMs: undefined, endMs: side.startMs }),
    ...(known === 'start' && { endMs: undefined }),
    ...(status !== undefined && {
      outcome: { status, error: status === 'ok' ? undefined : error, gaveUp: false },
    }),
  }
}

function ownFactsOf(tags: Tags, startMs: number | undefined): OwnFacts | undefined {
  if (!hasOwn(tags)) return undefined
  const started = numberTag(tags, [OWN.started])
  const busy = numberTag(tags, [OWN.busy])
  return {
    edge: EDGES.find((edge) => edge === tags.get(OWN.edge)),
    side: SIDES.find((side) => side === tags.get(OWN.side)),
    status: STATUSES.find((status) => status === tags.get(OWN.status)),
    error: tags.has(OWN.error) ? textTag(tags, [OWN.error]) : textTag(tags, ['error.type']),
    known: TIMES.find((time) => time === tags.get(OWN.known)),
    startedMs: started === undefined || startMs === undefined ? undefined : after(startMs, started),
    redelivered: isTrue(tags, OWN.redelivered),
    inFlight: countTag(tags, OWN.inFlight),
    busy: busy !== undefined && busy >= 0 && busy <= 1 ? busy : undefined,
    late: isTrue(tags, OWN.late),
    missing: countTag(tags, OWN.missing) ?? 0,
  }
}

function hasOwn(tags: Tags): boolean {
  for (const key of tags.keys()) if (isOwn(key)) return true
  return false
}

/** Microseconds are added as such, because sums of their thousandths are not exact. */
function after(startMs: number, micros: number): number | undefined {
  const ms = (Math.round(startMs * 1_000) + Math.round(micros)) / 1_000
  return Math.abs(ms) <= 8.64e15 ? ms : undefined
}

const isTrue = (tags: Tags, key: string) => String(tags.get(key)) === 'true'

function countTag(tags: Tags, key: string): number | undefined {
  const count = numberTag(tags, [key])
  return count !== undefined && Number.isInteger(count) && count >= 0 && count <= MOST_CALLS
    ? count
    : undefined
}
