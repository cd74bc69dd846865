import {
  type BottleneckFinding,
  FAILURE_KINDS,
  type Findings,
  findingsSentences,
  formatMs,
  formatShare,
  type OriginFinding,
  type SlowInstance,
} from 'clew/trace'
import { counted, GAPS, PLACES, placeName, REASONS } from './analysis-words.ts'
import type { NextStep, Page, PageRow } from './page.ts'
import { instanceOf } from './straggler-rows.ts'

/** Lines of each section; what is beyond is counted. */
const MOST = 8

/** What many traces answer together. */
export function tellPopulation(
  page: Page,
  { found, slowInstances }: { found: Findings; slowInstances: readonly SlowInstance[] },
  next: readonly NextStep[],
): void {
  page.title(counted(found.traces, 'request'), aboutAll(found))
  page.heading('VERDICT')
  for (const sentence of findingsSentences(found)) page.sentence(sentence, 'bold')
  tellRequests(page, found)
  tellOrigins(page, found.origins)
  tellBottlenecks(page, found.bottlenecks)
  tellSlowInstances(page, slowInstances)
  tellStragglers(page, found)
  tellGaps(page, found)
  if (found.left > 0) {
    page.heading('NOTE')
    page.sentence(
      'There are more than 1,000 names of a kind: the further ones are told as (others).',
    )
  }
  page.steps(next)
}

function aboutAll({ calls, failed, traces, incomplete, firstMs, lastMs }: Findings): string {
  const facts = [counted(calls, 'call')]
  facts.push(failed === 0 ? 'none failed' : `${failed} failed (${formatShare(failed / traces)})`)
  if (incomplete > 0) facts.push(`${incomplete} incomplete`)
  if (lastMs > firstMs) facts.push(`over ${formatMs(lastMs - firstMs)}`)
  return facts.join(' · ')
}

function tellRequests(page: Page, { requests }: Findings): void {
  const rows = requests.slice(0, MOST).map((request): PageRow => {
    const { requests: count, failed, p50Ms, p99Ms } = request
    const bad = failed === 0 ? '-' : `${failed} (${formatShare(failed / count)})`
    const cells = [
      placeName(request),
      count.toLocaleString('en-US'),
      bad,
      formatMs(p50Ms),
      formatMs(p99Ms),
    ]
    return { cells }
  })
  page.table(
    [
      { title: 'REQUESTS', least: 16 },
      { title: 'COUNT', side: 'right' },
      { title: 'FAILED', side: 'right' },
      { title: 'P50', side: 'right', spare: true },
      { title: 'P99', side: 'right', spare: true },
    ],
    rows,
  )
  tellMore(page, requests.length - MOST, 'type')
}

function tellOrigins(page: Page, origins: readonly OriginFinding[]): void {
  if (origins.length === 0) return
  const rows = origins.slice(0, MOST).map((origin): PageRow => {
    const { requests, masked, aside, kind, error, hosts, examples } = origin
    const cells = [
      placeName(origin),
      error ?? FAILURE_KINDS[kind],
      requests === 0 ? '-' : String(requests),
      masked - aside === 0 ? '-' : String(masked - aside),
      aside === 0 ? '' : String(aside),
      hosts.join(', '),
      examples[0] === undefined ? '' : `…${examples[0].slice(-8)}`,
    ]
    return { cells, red: requests > 0 }
  })
  page.table(
    [
      { title: 'WHO FAILED', least: 16 },
      { title: 'HOW', least: 12 },
      { title: 'REQUESTS', side: 'right' },
      { title: 'MASKED', side: 'right', spare: true },
      { title: 'ASIDE', side: 'right', spare: true },
      { title: 'HOSTS', least: 8, spare: true },
      { title: 'EXAMPLE', spare: true },
    ],
    rows,
  )
  tellMore(page, origins.length - MOST, 'origin')
}

function tellBottlenecks(page: Page, places: readonly BottleneckFinding[]): void {
  if (places.length === 0) return
  const rows = places.slice(0, MOST).map((place): PageRow => {
    const { share, ms, requests, most, where, examples } = place
    const times = [formatShare(share), page.bar(share), formatMs(ms / requests)]
    const example = examples[0] === undefined ? '' : `…${examples[0].slice(-8)}`
    return { cells: [placeName(place), PLACES[where], ...times, counted(most, 'trace'), example] }
  })
  page.table(
    [
      { title: 'WHERE THE TIME GOES', least: 16 },
      { title: 'PART', least: 8 },
      { title: 'SHARE', side: 'right' },
      { title: '', spare: true },
      { title: 'EACH', side: 'right' },
      { title: 'MOST IN', side: 'right', spare: true },
      { title: 'EXAMPLE', spare: true },
    ],
    rows,
  )
  tellMore(page, places.length - MOST, 'place')
}

const PARTS: Readonly<Record<string, string>> = {
  ...{ self: 'the method itself', queue: 'waiting to begin' },
  ...{ network: 'network, broker or queue', downstream: 'its own calls' },
}

/** Instances that take longer than their replicas, by more than chance. */
export function tellSlowInstances(page: Page, slow: readonly SlowInstance[], most = MOST): void {
  if (slow.length === 0) return
  const rows = slow.slice(0, most).map((one): PageRow => {
    const { instance, medianMs, othersMedianMs, ratio, ratios, leg } = one
    const sure = `${times(ratios.low)}–${times(ratios.high)}`
    const medians = [formatMs(medianMs), formatMs(othersMedianMs)]
    const because = leg === undefined ? 'not known' : (PARTS[leg] ?? leg)
    return { cells: [placeName(one), instance, ...medians, `${times(ratio)}×`, sure, because] }
  })
  page.table(
    [
      { title: 'SLOW INSTANCES', least: 16 },
      { title: 'INSTANCE', least: 8 },
      { title: 'MEDIAN', side: 'right' },
      { title: 'OTHERS', side: 'right', spare: true },
      { title: 'RATIO', side: 'right' },
      { title: '95 %', side: 'right', spare: true },
      { title: 'BECAUSE OF', least: 12, spare: true },
    ],
    rows,
  )
  tellMore(page, slow.length - most, 'instance')
}

const times = (ratio: number) => (ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0))

/** What stragglers add up to, by instance. */
export function tellStragglers(page: Page, { stragglers }: Findings, most = MOST): void {
  if (stragglers.length === 0) return
  const rows = stragglers.slice(0, most).map((straggler): PageRow => {
    const { stragglers: count, impactMs, leg, examples } = straggler
    const because = leg === undefined ? 'not known' : REASONS[leg]
    const example = examples[0] === undefined ? '' : `…${examples[0].slice(-8)}`
    const each = formatMs(impactMs / count)
    return {
      cells: [placeName(straggler), instanceOf(straggler), String(count), each, because, example],
    }
  })
  page.table(
    [
      { title: 'STRAGGLERS', least: 16 },
      { title: 'INSTANCE', least: 8 },
      { title: 'COUNT', side: 'right' },
      { title: 'GAIN EACH', side: 'right', spare: true },
      { title: 'BECAUSE OF', least: 12, spare: true },
      { title: 'EXAMPLE', spare: true },
    ],
    rows,
  )
  tellMore(page, stragglers.length - most, 'instance')
}

function tellGaps(page: Page, { gaps }: Findings): void {
  if (gaps.length === 0) return
  const rows = gaps.slice(0, MOST).map((gap): PageRow => {
    const [what] = GAPS[gap.kind]
    const below = gap.kind === 'lost' ? 'below ' : ''
    return { cells: [`${below}${placeName(gap)}`, String(gap.calls), String(gap.traces), what] }
  })
  page.table(
    [
      { title: 'WHAT IS MISSING', least: 16 },
      { title: 'CALLS', side: 'right' },
      { title: 'TRACES', side: 'right' },
      { title: 'WHY', least: 20 },
    ],
    rows,
  )
  tellMore(page, gaps.length - MOST, 'place')
}

function tellMore(page: Page, count: number, word: string): void {
  if (count > 0) page.sentence(`and ${counted(count, `more ${word}`)}; --json has them`, 'dim')
}

/** The same for a script. */
export function populationAnswer(found: Findings): object {
  const { traces, calls, failed, incomplete, firstMs, lastMs, left } = found
  const begun = Number.isFinite(firstMs) ? { firstMs, lastMs } : {}
  return {
    kind: 'population',
    ...{ traces, calls, failed, incomplete, ...begun },
    verdict: { sentences: findingsSentences(found) },
    requests: found.requests,
    failures: found.origins,
    bottlenecks: found.bottlenecks,
    stragglers: found.stragglers,
    missing: found.gaps,
    beyondBounds: left,
  }
}
