import type { Leg } from './critical-steps.ts'

/** What a leg of the critical path is, for people. */
export const LEG_WORDS: Readonly<Record<Leg, string>> = {
  work: 'at work',
  wait: 'on the way',
  queue: 'in the queue of its process',
  unknown: 'in a service without a profile',
}
