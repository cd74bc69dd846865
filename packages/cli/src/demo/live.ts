import { setTimeout as sleep } from 'node:timers/promises'
import type { Sink } from 'clew/profile'
import { callTree, encodeTrace, formatMs, type Trace } from 'clew/trace'
import type { Output } from '../output.ts'
import type { Shop } from './open-shop.ts'
import type { OpenStore } from './store.ts'
import { traceSaver } from './trace-saver.ts'

/** Milliseconds between two calls. */
const PAUSE_MS = 700
/** Latest searches that the median is taken of. */
const MOST_REMEMBERED = 100
const TURNS = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'] as const

export interface LiveOptions {
  readonly shop: Shop
  /** Whoever asks it meanwhile, its traces are kept too. */
  readonly store: OpenStore | undefined
  readonly output: Output
  /** Ends the calls when it aborts. */
  readonly signal: AbortSignal
  /** File for the latest traces. */
  readonly path: string
  /** Gets those of the store too; those of the shop it has. */
  readonly sink: Sink | undefined
}

/** Goes on calling at a gentle rate, with one line that says how it goes, until the signal aborts. */
export async function callOn({
  shop,
  store,
  output,
  signal,
  path,
  sink,
}: LiveOptions): Promise<void> {
  const save = traceSaver(path)
  store?.watch((trace) => {
    save.take(encodeTrace(trace))
    sink?.take(trace)
  })
  const totals: number[] = []
  let [searches, orders, failed] = [0, 0, 0]
  for (let turn = 0; !signal.aborted; turn++) {
    const isSearch = turn % 2 === 0
    const { trace, error } = await (isSearch ? shop.search() : shop.order())
    if (signal.aborted) break
    save.take(encodeTrace(trace))
    if (isSearch) {
      searches++
      totals.push(totalOf(trace))
      if (totals.length > MOST_REMEMBERED) totals.shift()
    } else {
      orders++
      if (error !== undefined) failed++
    }
    output.sayOver(
      line(output, {
        turn,
        parts: [
          `searches: ${searches}, median ${formatMs(median(totals))}`,
          `orders: ${orders}, failed ${failed}`,
          'Ctrl-C ends',
        ],
      }),
    )
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {})
  }
  output.sayOver('')
  await save.close()
}

function totalOf(trace: Trace): number {
  return callTree(trace).totalMs
}

function line(
  output: Output,
  { turn, parts }: { readonly turn: number; readonly parts: readonly string[] },
): string {
  const shown = [...parts]
  const text = () => `${TURNS[turn % TURNS.length]} ${shown.join(' · ')}`
  while (shown.length > 1 && text().length >= output.talkWidth) shown.pop()
  return text().slice(0, output.talkWidth - 1)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
