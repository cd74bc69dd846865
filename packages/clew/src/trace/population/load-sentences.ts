import { formatShare } from '../analysis/format-ms.ts'
import type { LoadBand, LoadBottleneck, LoadReport } from './load-report.ts'

/** A process that counted so many more calls than the traces show has lost some, or not all were kept. */
export const LEAST_MISSING = 0.05
/** Failed requests are told of from this share on: they may take much less time, or more. */
const LEAST_FAILED = 0.01
/** Of an instance, calls without an answer are told of from this share on. */
const LEAST_UNANSWERED = 0.05

type Told = Omit<LoadReport, 'sentences'>

/** Neighbouring bands with the same bottleneck. */
export interface LoadStretch {
  readonly bands: readonly LoadBand[]
  readonly bottleneck: LoadBottleneck
}

/** Bands in which the same holds requests up, the least load first. */
export function stretchesOf(bands: readonly LoadBand[]): readonly LoadStretch[] {
  const stretches: { bands: LoadBand[]; bottleneck: LoadBottleneck }[] = []
  for (const band of bands) {
    const last = stretches.at(-1)
    const { service, kind, layer } = band.bottleneck
    const before = last?.bottleneck
    const same =
      before !== undefined &&
      before.service === service &&
      before.kind === kind &&
      (kind === 'workers' || kind === 'event-loop' || before.layer === layer)
    if (!same) stretches.push({ bands: [band], bottleneck: band.bottleneck })
    else {
      last!.bands.push(band)
      // The greatest load shows it best.
      last!.bottleneck = band.bottleneck
    }
  }
  return stretches
}

/** The answer in words: what holds requests up at which load, where the limit is, what is doubtful. */
export function loadSentences(report: Told): readonly string[] {
  if (report.bands.length === 0) return ['There is no request whose load could be told.']
  const stretches = stretchesOf(report.bands)
  const words = stretches.map((stretch, at) => wordsOf(report, stretch, at, stretches.length))
  return [`${capital(words.join('; '))}.`, limitSentence(report), ...doubts(report)].filter(
    (sentence) => sentence !== '',
  )
}

function wordsOf(report: Told, { bands, bottleneck }: LoadStretch, at: number, of: number): string {
  const from = loadWords(report, bands[0]!)
  const to = loadWords(report, bands.at(-1)!)
  const where =
    of === 1
      ? bands.length === 1
        ? `at ${to}`
        : `from ${from} to ${to}`
      : at === 0
        ? `up to ${to}`
        : at === of - 1
          ? `from ${from} on`
          : from === to
            ? `at ${from}`
            : `from ${from} to ${to}`
  return `${where} ${bottleneckWords(bottleneck)}`
}

const loadWords = ({ by }: Told, { rate, inFlight }: LoadBand) =>
  by === 'rate' ? `${loadNumber(rate)}/s` : `${loadNumber(inFlight)} in flight`

/** A rate or a number in flight for people: two or three digits. */
export function loadNumber(value: number): string {
  if (!Number.isFinite(value)) return '?'
  if (value >= 1000) return String(Math.round(value / 10) * 10).replace(/\B(?=(\d{3})+$)/g, ',')
  if (value >= 99.5) return value.toFixed(0)
  return String(Number(value.toPrecision(2)))
}

const LAYER_WORDS = {
  self: 'in the code of',
  db: 'in the database of',
  cache: 'in the cache of',
  rpc: 'waiting for the answers of',
  queue: 'on messages to and from',
}

/** What holds requests up, as part of a sentence. */
export function bottleneckWords({
  service,
  kind,
  layer,
  share,
  utilisation,
  behind,
}: LoadBottleneck): string {
  const full = utilisation === undefined ? '' : `, ${formatShare(utilisation)} taken`
  const also =
    behind.length === 0 ? '' : ` (workers of ${listed(behind)} are taken by waiting for it)`
  switch (kind) {
    case 'work':
      return `${formatShare(share)} of the time is spent ${LAYER_WORDS[layer ?? 'self']} ${service}`
    case 'workers':
      return `requests wait for a worker of ${service} (${formatShare(share)} of the time${full})${also}`
    case 'event-loop':
      return `requests wait for the event loop of ${service} (${formatShare(utilisation ?? 0)} busy)${also}`
    case 'waiting':
      if (utilisation !== undefined) {
        return `requests begin to wait for ${service} (${formatShare(share)} of the time${full})`
      }
      return `${formatShare(share)} of the time is spent on the way to and from ${service}`
    case 'unclear':
      return 'requests take longer, and no service explains it'
  }
}

function limitSentence({ limit, limits, bands, by }: Told): string {
  const last = bands.at(-1)!
  const first = limits[0]
  if (typeof limit !== 'string') {
    const { peakRate, peakError, declinesBeyond } = limit
    const from =
      declinesBeyond === undefined
        ? ''
        : `, and less beyond ${loadNumber(declinesBeyond)} in flight`
    return `The most that is answered is ${plusMinus(peakRate, peakError)} requests/s${from}.`
  }
  const full =
    first === undefined
      ? ''
      : ` ${first.service} would be the first to be full, at about ${loadNumber(first.mostRate)}/s.`
  const varied = bands.length === 1 ? 'the load did not vary' : 'the load varied too little'
  switch (limit) {
    case 'steady_load':
      return `No limit can be told: ${varied}.${full}`
    case 'few_points':
      return `No limit can be told: the load lasted too short for it.${full}`
    case 'not_reached':
      return `The limit was not reached${by === 'rate' ? ` at ${loadNumber(last.rate)}/s` : ''}.${full}`
  }
}

/** `310 ± 20`: no more digits than are known. */
export function plusMinus(value: number, error: number): string {
  const step = error > 0 ? 10 ** Math.floor(Math.log10(error)) : 1
  const round = (number: number) => Number((Math.round(number / step) * step).toPrecision(12))
  return `${loadDigits(round(value))} ± ${loadDigits(Math.max(round(error), step))}`
}

const loadDigits = (value: number) =>
  value >= 1000 ? String(value).replace(/\B(?=(\d{3})+$)/g, ',') : String(value)

function doubts({ bands, instances, callsLeftOut }: Told): readonly string[] {
  const sentences: string[] = []
  const requests = bands.reduce((sum, band) => sum + band.requests, 0)
  const failed = bands.reduce((sum, band) => sum + band.failed * band.requests, 0) / requests
  if (failed > 0.999) {
    sentences.push('Every request failed: this is how long failing takes, and says nothing else.')
  } else if (failed >= LEAST_FAILED) {
    sentences.push(`${formatShare(failed)} of the requests failed; their times count too.`)
  }
  const lost = instances.filter(({ check }) => (check?.missingShare ?? 0) > LEAST_MISSING)
  const [worst] = lost.toSorted((a, b) => b.check!.missingShare - a.check!.missingShare)
  if (worst !== undefined) {
    const { counted, seen, missingShare } = worst.check!
    const more = lost.length === 1 ? '' : `, and ${lost.length - 1} more instances as well`
    sentences.push(
      `${worst.service} on ${worst.host} counted ${loadNumber(counted)} calls in flight where the traces show ${loadNumber(seen)}: ${formatShare(missingShare)} of its calls are not in them (entries lost, or not all traces kept)${more}.`,
    )
  }
  const silent = instances.filter(
    ({ calls, unanswered }) => calls >= 20 && unanswered > calls * LEAST_UNANSWERED,
  )
  for (const { service, host, calls, unanswered } of silent.slice(0, 1)) {
    sentences.push(`${service} on ${host} answered ${calls - unanswered} of ${calls} calls.`)
  }
  if (callsLeftOut > 0) {
    sentences.push(`${callsLeftOut} calls of more instances than are told apart are left out.`)
  }
  return sentences
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
