import type { FailureKind } from '../analysis/failures.ts'
import { formatShare } from '../analysis/format-ms.ts'
import { spokenName } from '../analysis/walk.ts'
import type { BottleneckFinding, Findings, OriginFinding } from './findings.ts'

/** Share from which on one origin or place is the answer. */
const CLEAR = 0.3
/** Share from which on a service is, whose methods by themselves are not. */
const MOSTLY = 0.5

/** How a failure began, where no error's name tells. */
export const FAILURE_KINDS: Readonly<Record<FailureKind, string>> = {
  error: 'failed',
  rejected: 'refused',
  cancelled: 'cancelled',
  lost: 'reply lost',
  timeout: 'too slow',
  crash: 'crashed or hangs',
  unanswered: 'never answered',
  caller: 'failed at its caller',
}

/** Which service failed, and where the time goes, in a sentence each. */
export function findingsSentences(
  found: Pick<Findings, 'traces' | 'failed' | 'origins' | 'bottlenecks'>,
): readonly string[] {
  const sentences: string[] = []
  const [origin] = found.origins
  if (found.failed === 0) sentences.push(`None of the ${counted(found.traces, 'request')} failed.`)
  else if (origin !== undefined) sentences.push(failedSentence(found.origins, origin, found.failed))
  const aside = found.origins.find((each) => each.aside > 0)
  if (aside !== undefined) {
    const what = `${spoken(aside)} failed ${counted(aside.aside, 'time')}`
    sentences.push(`In work that nobody waited for, ${what}${withError(aside)}.`)
  }
  const [first, second] = found.bottlenecks
  if (first !== undefined) sentences.push(timeSentence(first, second))
  return sentences
}

const withError = ({ error }: OriginFinding) => (error === undefined ? '' : ` with ${error}`)

/** Where no method is the answer, a service may be. */
function failedSentence(
  origins: readonly OriginFinding[],
  first: OriginFinding,
  failed: number,
): string {
  if (first.requests >= CLEAR * failed) return originSentence(first, failed)
  const services = new Map<string, number>()
  for (const { service, requests } of origins) {
    services.set(service, (services.get(service) ?? 0) + requests)
  }
  const [service, count] = [...services].reduce((most, each) => (each[1] > most[1] ? each : most))
  if (count < MOSTLY * failed) return originSentence(first, failed)
  const times = `${counted(count, 'failure')} of ${counted(failed, 'failed request')}`
  return `${times} began in ${service}, in several of its methods: the most in ${spoken(first)}.`
}

function originSentence(origin: OriginFinding, failed: number): string {
  const how = origin.error === undefined ? ` (${FAILURE_KINDS[origin.kind]})` : withError(origin)
  const of = `${origin.requests.toLocaleString('en-US')} of ${counted(failed, 'failed request')}`
  if (origin.requests < CLEAR * failed) {
    return `Failures began in many places, which is no clear answer: the most, ${of}, in ${spoken(origin)}${how}.`
  }
  const { passedOn } = origin
  const up =
    passedOn.length === 0
      ? ''
      : `; ${passedOn.slice(0, 2).join(' and ')} passed ${origin.requests === 1 ? 'it' : 'them'} on`
  const doubt =
    origin.doubtful * 2 > origin.requests
      ? ' Records below it are missing, so it may have passed on a failure itself.'
      : ''
  return `${of} began in ${spoken(origin)}${how}${up}.${doubt}`
}

function timeSentence(first: BottleneckFinding, second: BottleneckFinding | undefined): string {
  const one = `${formatShare(first.share)} of all time was spent ${spent(first)}`
  if (second === undefined) return `${one}.`
  const then = `${formatShare(second.share)} ${spent(second)}`
  return first.share < CLEAR
    ? `No single place takes most of the time: ${one}, ${then}.`
    : `${one}, then ${then}.`
}

function spent({ where, ...place }: BottleneckFinding): string {
  if (where === 'work') return `in ${spoken(place)}`
  return where === 'wait'
    ? `on the way to and from ${spoken(place)}`
    : `waiting to begin in ${spoken(place)}`
}

const spoken = (place: { readonly service: string; readonly method: string }) =>
  place.method === '' ? place.service : spokenName(place)

const counted = (count: number, word: string) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? word : `${word}s`}`
