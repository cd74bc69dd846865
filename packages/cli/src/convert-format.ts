import { usageFault } from './fault.ts'

/** What `clew convert` writes. */
export const CONVERT_FORMATS = [
  ...(['clew', 'otlp', 'otlp-protobuf', 'jaeger', 'zipkin'] as const),
  ...(['chrome', 'speedscope', 'csv', 'html'] as const),
]

export type ConvertFormat = (typeof CONVERT_FORMATS)[number]

/** Endings that say a format by themselves; the longest that fits counts. */
const ENDINGS: readonly (readonly [ending: string, format: ConvertFormat])[] = [
  ['.otlp.json', 'otlp'],
  ['.jaeger.json', 'jaeger'],
  ['.zipkin.json', 'zipkin'],
  ['.chrome.json', 'chrome'],
  ['.perfetto.json', 'chrome'],
  ['.speedscope.json', 'speedscope'],
  ['.jsonl', 'clew'],
  ['.pb', 'otlp-protobuf'],
  ['.binpb', 'otlp-protobuf'],
  ['.csv', 'csv'],
  ['.html', 'html'],
  ['.htm', 'html'],
]

/**
 * The format that is asked for, or that the name of the file says.
 * @throws Fault when neither does
 */
export function convertFormat(
  to: ConvertFormat | undefined,
  out: string | undefined,
): ConvertFormat {
  if (to !== undefined) return to
  const name = out?.toLowerCase() ?? ''
  const found = ENDINGS.find(([ending]) => name.endsWith(ending))
  if (found !== undefined) return found[1]
  throw usageFault('--to is missing', {
    why:
      out === undefined
        ? 'nothing says which format to write'
        : `the ending of ${out} says no format`,
    next: [`--to ${CONVERT_FORMATS.join(' | ')}`],
  })
}
