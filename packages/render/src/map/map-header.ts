import type { SystemMap } from 'clew/trace'
import { type Band, drawHeader } from '../svg/header.ts'
import { counted, grouped } from '../words.ts'
import { mapDoubts, mapSentences } from './map-words.ts'

/** What every picture of a system begins with. */
export function mapHeader(map: SystemMap, leftOut: number, width: number): Band {
  const failed = map.places.reduce((sum, place) => sum + place.failed, 0)
  return drawHeader(
    {
      title: 'Layout of the system',
      service: `from ${counted(map.traces, 'trace')}`,
      ...{ traceId: '', time: undefined },
      figures: [
        {
          label: 'SERVICES',
          value: grouped(map.places.filter(({ kind }) => kind === 'service').length),
        },
        { label: 'CALLS', value: grouped(map.calls) },
        { label: 'FAILED', value: grouped(failed), tone: failed > 0 ? 'failure' : 'plain' },
      ],
      notices: [
        ...mapDoubts(map).map((doubt) => ({ tone: 'doubt' as const, text: doubt })),
        ...(leftOut > 0
          ? [{ tone: 'plain' as const, text: `${counted(leftOut, 'place')} not drawn` }]
          : []),
      ],
      sentences: mapSentences(map),
    },
    width,
  )
}
