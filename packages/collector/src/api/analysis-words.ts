import { formatShare, type SlowInstance, type StragglerFinding, spokenName } from 'clew/trace'
import type { CriticalPathAnswer, SampleAnswer } from './analysis-shapes.ts'

const number = (count: number) => count.toLocaleString('en-US')

/** What is to be known of an answer that not all was read for; nothing where all was. */
export function sampleSentences(sample: SampleAnswer, how = 'chosen evenly'): readonly string[] {
  const { traces, matching, tooLarge, cutShort } = sample
  const told: string[] = []
  if (matching === 0) told.push('No trace of this time matches.')
  else if (traces + tooLarge < matching && cutShort === null) {
    told.push(`This is what ${number(traces)} of ${number(matching)} traces tell, ${how}.`)
  }
  if (cutShort !== null) {
    const why = cutShort === 'time' ? 'reading takes too long' : 'they have too many calls'
    told.push(`Only ${number(traces)} of ${number(matching)} traces were read: ${why}.`)
  }
  if (tooLarge > 0) told.push(`${number(tooLarge)} too large to be read here were passed over.`)
  return told
}

/** How many failed, all of them counted. */
export function failedSentence(failed: number, requests: number): string {
  if (requests === 0) return 'There were no requests.'
  if (failed === 0) return `None of ${number(Math.round(requests))} requests failed.`
  const share = formatShare(failed / requests)
  return `${number(Math.round(failed))} of ${number(Math.round(requests))} requests failed (${share}).`
}

export function stragglersSentence(
  stragglers: readonly StragglerFinding[],
  [slow]: readonly SlowInstance[],
): string {
  const [first] = stragglers
  if (slow !== undefined) {
    return `${slow.instance} takes ${slow.ratio.toFixed(1)} times as long for ${spokenName(slow)} as its replicas.`
  }
  if (first === undefined) return 'No straggler.'
  const count = stragglers.reduce((sum, one) => sum + one.stragglers, 0)
  const where = first.host === undefined || first.host === '' ? '' : ` on ${first.host}`
  return count === 1
    ? `One straggler: ${spokenName(first)}${where}.`
    : `${number(count)} stragglers, of which those of ${spokenName(first)}${where} cost most.`
}

export function criticalPathSentences([first]: CriticalPathAnswer['methods']): readonly string[] {
  if (first === undefined) return []
  const share = formatShare(first.share)
  return [`${share} of what answers waited for was ${spokenName(first)} and the way to it.`]
}
