import { type Change, formatMs, formatShare, type Imagined, type WhatIfAnswer } from 'clew/trace'
import { EXIT } from './exit.ts'
import { Fault, usageFault } from './fault.ts'
import type { Page } from './page.ts'

/** What a change was written as, and what it is. */
export interface WrittenChange {
  readonly text: string
  readonly change: Change
}

/**
 * `orders.get_order=0.5`, `orders=0`, `way:orders.get_order=0.5`, `orders@host-2:4711=0.5`.
 * @throws Fault where it is none of them
 */
export function parseChange(text: string): WrittenChange {
  // Statements have signs of equality too: the last one is ours.
  const match = /^(way:)?(.+)=(\d+(?:\.\d+)?)$/su.exec(text)
  const [, way, whom = '', factor] = match ?? []
  const [, name = '', host, pid] = /^(.+?)(?:@([\w.-]+)(?::(\d+))?)?$/su.exec(whom) ?? []
  if (match === null || name === '' || !(Number(factor) <= 1000)) {
    throw usageFault(`${JSON.stringify(text)} is no change; write orders.get_order=0.5`, {
      next: ["--what-if 'orders=0.5'", "--what-if 'way:orders.get_order=0'"],
    })
  }
  const change: Change = {
    ...{ name, factor: Number(factor), leg: way === undefined ? 'work' : 'way' },
    ...(host !== undefined && { host }),
    ...(pid !== undefined && { pid: Number(pid) }),
  }
  return { text, change }
}

/** @throws Fault when no call is meant by it (exit code 3) */
export function checkConcerned({ text }: WrittenChange, { concerned }: WhatIfAnswer): void {
  if (concerned > 0) return
  throw new Fault(`no call is meant by ${JSON.stringify(text)}`, {
    ...{ exit: EXIT.notFound, code: 'no_such_call' },
    why: 'it names a service, or a service and its method, as the tables do',
    next: ['clew critical-path FILE --tree   to see the names'],
  })
}

/** What would become of the requests, for a terminal. */
export function tellWhatIf(
  page: Page,
  { text, change }: WrittenChange,
  answer: WhatIfAnswer,
): void {
  const { p50, mean, traces, concerned } = answer
  const ms = p50.beforeMs - p50.afterMs
  const saved = ms >= 0 ? 'save' : 'cost'
  const share = p50.beforeMs > 0 ? ` (${formatShare(Math.abs(ms) / p50.beforeMs)})` : ''
  page.sentence(
    `${text} would ${saved} ${formatMs(Math.abs(ms))}${share} at the median, ` +
      `${formatMs(Math.abs(mean.beforeMs - mean.afterMs))} on average.`,
    'bold',
    '',
  )
  const leg = change.leg === 'way' ? 'way there and back' : 'own work'
  page.sentence(
    `${concerned} of ${traces} requests have it; its ${leg} is taken times ${change.factor}.`,
    'dim',
    '',
  )
  const row = (name: string, { beforeMs, afterMs, savedMs: { low, high } }: Imagined) => ({
    cells: [name, formatMs(beforeMs), formatMs(afterMs), `${formatMs(low)} to ${formatMs(high)}`],
  })
  page.table(
    [
      { title: 'REQUESTS' },
      { title: 'NOW', side: 'right' },
      { title: 'THEN', side: 'right' },
      { title: 'SAVED, 95 % SURE', side: 'right' },
    ],
    [
      row('median', answer.p50),
      row('p95', answer.p95),
      row('p99', answer.p99),
      row('mean', answer.mean),
    ],
  )
}
