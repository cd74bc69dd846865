import {
  callName,
  type Failure,
  type GapKind,
  type Leg,
  spokenName,
  type Way,
  type Where,
} from 'clew/trace'

/** Why another may have failed first. */
export const DOUBTS: Readonly<Record<NonNullable<Failure['doubt']>, string>> = {
  hidden: 'calls that may be its own are missing',
  between: 'calls between it and who failed above did well',
  'one-sided': 'only its caller kept a record of it',
  adrift: 'a call above it left no record',
}

export const PLACES: Readonly<Record<Where, string>> = {
  work: 'in it',
  wait: 'on the way',
  start: 'before it began',
}

export const REASONS: Readonly<Record<Leg, string>> = {
  wait: 'network, broker or queue',
  start: 'waiting to begin',
  self: 'the method itself',
  downstream: 'its own calls',
}

export const WAYS: Readonly<Record<Way, string>> = {
  request: 'queue or network to it',
  reply: 'network on the way back',
}

/** What is missing, and what can be believed all the same. */
export const GAPS: Readonly<Record<GapKind, readonly [what: string, believe: string]>> = {
  lost: ['calls made that left no entry', 'their time counts as their caller’s own'],
  merged: ['calls merged to save room', 'count and times of each group are right'],
  unrecorded: ['calls to who keeps no entries', 'how long they took is right, not where'],
  crashed: ['calls taken up and not ended', 'the process crashed, hangs, or was cut off'],
  pending: ['calls not ended when written', 'what they took until then is not known'],
  caller: [
    'calls of which the caller’s side is missing',
    'their handling is right, the way is not known',
  ],
  parent: ['callers of which nothing came', 'the calls below are right, their parent is a guess'],
}

export const placeName = (place: { readonly service: string; readonly method: string }) =>
  place.method === '' ? place.service : callName(place)

/** The same in a sentence. */
export const spokenPlace = (place: { readonly service: string; readonly method: string }) =>
  place.method === '' ? place.service : spokenName(place)

/** `1 trace`, `12,340 traces`. */
export function counted(count: number, word: string, plural = `${word}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? word : plural}`
}
