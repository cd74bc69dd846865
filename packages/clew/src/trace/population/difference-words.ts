import { formatMs, formatShare } from '../analysis/format-ms.ts'
import type { Interval } from './chance.ts'
import type { Contribution, Difference, PathChange } from './difference-shape.ts'
import type { Window } from './explained.ts'

const WHERE: Readonly<Record<Window, string>> = {
  median: 'at the median',
  p95: 'in the slowest tenth',
  mean: 'on average',
}

const LEGS = {
  work: '',
  queue: ', before the method began',
  way: ', on the way there and back',
} as const

/** The answer to a comparison, the most important sentence first. */
export function differenceSentences(
  difference: Omit<Difference, 'sentences'>,
  [before, after]: readonly [string, string],
): readonly string[] {
  const { failures, total, paths, kinds, attributes } = difference
  const sentences: string[] = []
  if (difference.before.traces === 0 || difference.after.traces === 0) {
    const empty = difference.before.traces === 0 ? before : after
    return [`There is nothing to compare: ${empty} has no request whose duration is known.`]
  }
  if (!difference.certain) return [chanceSentence(difference, [before, after])]
  const began = paths.find(
    ({ differs, before: a, after: b }) => differs.includes('failures') && b.failures > a.failures,
  )
  if (failures.certain || began !== undefined) {
    sentences.push(failureSentence(difference, after, worstFailure(paths)))
  }
  if (total?.certain) sentences.push(timeSentence(difference, after))
  else if (total !== undefined && sentences.length === 0) {
    const aside = paths[0] === undefined ? '' : `, but ${list(paths.slice(0, 3).map(changeWords))}`
    sentences.push(`Requests take as long in ${after} as in ${before}${aside}.`)
  }
  const gone = paths.filter(({ differs }) => differs.includes('missing'))
  const fresh = paths.filter(({ differs }) => differs.includes('new'))
  if (gone.length > 0) sentences.push(`Only ${before} calls ${list(gone.map(wayWords))}.`)
  if (fresh.length > 0) sentences.push(`Only ${after} calls ${list(fresh.map(wayWords))}.`)
  if (kinds.length > 0) {
    const told = kinds.map(({ name, before: a, after: b }) => `${name} (${shares(a, b)})`)
    sentences.push(`The mix of requests differs: ${list(told)}.`)
  }
  const [lift] = attributes
  if (lift !== undefined) {
    const { attribute, before: a, after: b } = lift
    sentences.push(`What stands out in ${after}: ${attribute} (${shares(a, b)} of the requests).`)
  }
  return sentences
}

const shares = (before: number, after: number) => `${formatShare(before)} → ${formatShare(after)}`

function list(names: readonly string[]): string {
  const distinct = [...new Set(names)]
  if (distinct.length <= 1) return distinct.join('')
  const shown = distinct.length > 3 ? distinct.slice(0, 2) : distinct.slice(0, -1)
  const last = distinct.length > 3 ? `${distinct.length - 2} more` : distinct.at(-1)
  return `${shown.join(', ')} and ${last}`
}

/** The last two of a way: who calls and what is called. */
const wayWords = ({ names }: Pick<PathChange, 'names'>) => names.slice(-2).join(' → ')

function chanceSentence(
  { before: a, after: b, total }: Omit<Difference, 'sentences'>,
  [before, after]: readonly [string, string],
): string {
  const traces = `${a.traces} and ${b.traces} traces`
  const seen =
    total === undefined
      ? ''
      : ` (median ${formatMs(total.medians.beforeMs)} → ${formatMs(total.medians.afterMs)})`
  const few = Math.min(a.traces, b.traces) < 10 ? '; more traces would tell more' : ''
  return `There is no difference between ${before} and ${after} that could not be chance: ${traces}${seen}${few}.`
}

/** Where most failures that are new begin. */
function worstFailure(paths: readonly PathChange[]): PathChange | undefined {
  const more = ({ before, after }: PathChange) => after.failures - before.failures
  return paths
    .filter((path) => path.differs.includes('failures') && more(path) > 0)
    .reduce<PathChange | undefined>(
      (worst, path) => (worst === undefined || more(path) > more(worst) ? path : worst),
      undefined,
    )
}

function failureSentence(
  { failures }: Omit<Difference, 'sentences'>,
  after: string,
  worst: PathChange | undefined,
): string {
  const where =
    worst === undefined
      ? ''
      : `${wayWords(worst)} (${shares(worst.before.failures, worst.after.failures)} of the requests that call it)`
  if (!failures.certain) return `Failures begin in ${where}, and their callers cope with them.`
  const rates = `${shares(failures.before, failures.after)} of the requests`
  if (failures.after < failures.before) return `${after} fails less: ${rates}.`
  return `${after} fails more: ${rates}${where === '' ? '' : `; it begins in ${where}`}.`
}

function timeSentence(
  { total, contributions, suspects }: Omit<Difference, 'sentences'>,
  after: string,
): string {
  const { window, beforeMs, deltaMs, medians } = total!
  const ms = window === 'median' ? medians.afterMs - medians.beforeMs : deltaMs.ms
  const norm = window === 'median' ? medians.beforeMs : beforeMs
  const how = ms >= 0 ? 'slower' : 'faster'
  const relative = norm > 0 ? ` (${formatShare(Math.abs(ms) / norm)})` : ''
  const much = `${after} is ${formatMs(Math.abs(ms))}${relative} ${how} ${WHERE[window]}`
  const [first, second] = contributions.filter(({ ms: own }) => own * deltaMs.ms > 0)
  if (first === undefined) return `${much}; no single path explains it.`
  const service = serviceWords(contributions, first, suspects[0]?.service)
  if (service !== undefined) return `${much}; ${service}.`
  const also =
    second !== undefined && second.share >= 0.2 && first.share < 0.8
      ? `, ${intervalWords(second)} in ${wayWords(second)}${LEGS[second.leg]}`
      : ''
  return `${much}; ${intervalWords(first)} of it in ${wayWords(first)}${LEGS[first.leg]}${also}.`
}

/** Where no method explains half of it, but a service does. */
function serviceWords(
  contributions: readonly Contribution[],
  first: Contribution,
  service: string | undefined,
): string | undefined {
  if (first.share >= 0.5 || service === undefined) return undefined
  const own = contributions.filter((each) => each.service === service && each.share > 0)
  const share = own.reduce((sum, each) => sum + each.share, 0)
  if (own.length < 2 || share < 0.5) return undefined
  const names = own.map((each) => each.method)
  return `about ${formatShare(Math.min(1, share))} of it in ${service} (${list(names)})`
}

/** `83-97 %`: shares above the whole, or below nothing, are where noise is as great as the difference. */
function intervalWords({ shares: { low, high } }: { readonly shares: Interval }): string {
  const percent = (share: number) => Math.round(100 * Math.min(1, Math.max(0, share)))
  const [from, to] = [percent(low), percent(high)]
  return from === to ? `${to === 100 ? 'all' : `${to} %`}` : `${from}–${to} %`
}

function changeWords(change: PathChange): string {
  const { differs, before, after } = change
  const name = wayWords(change)
  if (differs.includes('missing')) return `${name} is not called any more`
  if (differs.includes('new')) return `${name} is new`
  if (differs.includes('critical') || differs.includes('self')) {
    const key = differs.includes('critical') ? 'criticalMs' : 'selfMs'
    return `${name} takes ${formatMs(after[key])} instead of ${formatMs(before[key])}`
  }
  if (differs.includes('presence')) {
    return `${name} is called in ${shares(before.presence, after.presence)} of the requests`
  }
  if (differs.includes('unseen')) return `${name} leaves no entries any more in some requests`
  return `${name} is called ${before.callsPerTrace.toFixed(1)} → ${after.callsPerTrace.toFixed(1)} times`
}
