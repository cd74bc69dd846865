import type { Mark } from './decode.ts'
import type { Entry, Fold, Missing } from './entry.ts'

export type Line = Entry | Mark

/** The entries that one message brought. */
export interface Segment {
  readonly key: string
  readonly lines: readonly Line[]
  readonly folds: readonly Fold[]
  readonly missing: readonly Missing[]
  /** Those among the lines. */
  readonly marks: readonly Mark[]
  /** The execution that it is the whole block of; undefined for parts, and for what a reply brought. */
  readonly whole?: string | undefined
  /** It was told while the worker was running. */
  readonly runningMs?: number | undefined
}

export const NONE = Object.freeze([] as never[]) as readonly never[]

/** One delivery of one call: a request that is delivered twice has two. */
export const executionOf = (callId: string, receiveMs: number) => `${callId}:${receiveMs}`

/**
 * Messages that say nothing new: whole blocks that stand within larger ones too, because a process was
 * asked for what it knew of a trace whose reply had it, and what was told of a worker that was running
 * where it has ended since.
 * @param whole ids of calls whose own block came as a piece
 */
export function toldAgain(
  segments: readonly Segment[],
  whole: ReadonlySet<string>,
): ReadonlySet<Segment> {
  const again = new Set<Segment>()
  if (whole.size === 0) return again
  const told = new Set<string>()
  const tell = ({ lines }: Segment) => {
    for (const line of lines) {
      if (line.kind !== 'rpc-receive' || !whole.has(line.id)) continue
      if (line.runningMs === undefined) told.add(executionOf(line.id, line.timeMs))
    }
  }
  const last = new Map<string, Segment>()
  for (const segment of segments) {
    const { whole: execution } = segment
    if (execution === undefined) tell(segment)
    else if (word(segment) >= word(last.get(execution))) last.set(execution, segment)
  }
  for (const segment of segments) {
    if (segment.whole !== undefined && last.get(segment.whole) !== segment) again.add(segment)
  }
  // Who holds another is larger.
  for (const block of [...last.values()].sort((a, b) => b.lines.length - a.lines.length)) {
    if (told.has(block.whole!)) again.add(block)
    else tell(block)
  }
  return again
}

/** Of a worker that was asked while it ran, the later word counts more, and its end the most. */
function word(segment: Segment | undefined): number {
  return segment === undefined ? -1 : (segment.runningMs ?? Number.POSITIVE_INFINITY)
}

/** Losses, but for those below calls whose block came by itself after all. */
export function stillMissing(segments: readonly Segment[]): Missing[] {
  const came = new Set<string>()
  for (const { whole } of segments) if (whole !== undefined) came.add(whole.split(':', 1)[0]!)
  const missing: Missing[] = []
  for (const segment of segments) {
    const own = segment.whole?.split(':', 1)[0]
    for (const loss of segment.missing) {
      if (loss.reason === 'lost' || loss.parent === own || !came.has(loss.parent))
        missing.push(loss)
    }
  }
  return missing
}
