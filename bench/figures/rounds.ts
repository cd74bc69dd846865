import { quantile, shuffled } from '../harness/statistics.ts'
import { type Cast, type Cell, everyone, type Sample } from './cells.ts'
import { callsOf, WARM_UP } from './services.ts'
import { systemOf } from './systems.ts'

export interface Pace {
  /** How many rounds are measured at most. */
  readonly rounds: number
  /** No round begins that would probably end later than so many seconds after the first. */
  readonly seconds: number
  /** For how long each system calls in a round at one size, in milliseconds; one call at least. */
  readonly effortMs: number
}

/** A turn is this short so that what slows the machine down slows its neighbours down as well. */
const TURN_MS = 6
/** How long a call between services takes until it is known better. */
const GUESSED_MS = 1
/** In every so many rounds the systems take part whose ratios need not be known to the last percent. */
const SPARSE_ROUNDS = 3

/**
 * Rounds in which the systems are measured at every size, sizes in a new order each round. At each
 * size the systems take turns of few calls, in each turn in a new order. The first round only warms
 * the processes up and does not count.
 * @returns how many rounds count
 */
export async function measureRounds(
  cells: readonly Cell[],
  pace: Pace,
  say: (line: string) => void,
): Promise<number> {
  const works = cells.filter(({ failure }) => failure === undefined)
  const groups = [...Map.groupBy(works, ({ shape, size }) => `${shape} ${size}`).values()]
  const began = performance.now()
  for (let round = 0; ; round++) {
    const everybody = round === 0 || round % SPARSE_ROUNDS === 1
    const part = ({ cast }: Cell) => everybody || !systemOf(cast.system).sparse
    for (const group of shuffled(groups)) await measureSize(group.filter(part), pace, round > 0)
    const tookS = (performance.now() - began) / 1000
    const name = round === 0 ? 'warm-up' : `round ${round} of ${pace.rounds}`
    say(`${name}, ${Math.round(tookS)} s`)
    if (round >= pace.rounds) return round
    if (round > 0 && tookS + tookS / (round + 1) > pace.seconds) return round
  }
}

async function measureSize(
  cells: readonly Cell[],
  { effortMs }: Pace,
  counts: boolean,
): Promise<void> {
  const off = cells.find(({ cast }) => cast.system === 'off')
  // Where not even the untraced services work, there is nothing to hold the others against.
  if (off === undefined) return
  const { shape, size } = off
  const each = callsOf(shape, size)
  const callMs = off.samples.at(-1)?.ms ?? each * GUESSED_MS
  const calls = Math.ceil(Math.min(TURN_MS, effortMs) / callMs)
  const turns = Math.ceil(effortMs / (calls * callMs))
  const times = new Map(cells.map((cell) => [cell, [] as number[]]))
  const before = await Promise.all(cells.map(usedProcessor))
  for (let turn = 0; turn < turns; turn++) {
    for (const cell of shuffled(cells)) {
      times.get(cell)!.push(await cell.cast.client.ask.measure({ shape, size, calls }))
    }
  }
  const after = await Promise.all(cells.map(usedProcessor))
  if (!counts) return
  const made = turns * (calls * each + callsOf(shape, WARM_UP))
  cells.forEach((cell, index) => {
    const usedUs = after[index]! - before[index]!
    cell.samples.push(sampleOf(times.get(cell)!, times.get(off)!, usedUs / made))
  })
}

function sampleOf(times: readonly number[], offs: readonly number[], processorUs: number): Sample {
  const ratios = times.map((ms, turn) => ms / offs[turn]!)
  return { ms: quantile(times, 0.5), ratio: quantile(ratios, 0.5), processorUs }
}

async function usedProcessor({ cast }: { readonly cast: Cast }): Promise<number> {
  const used = await Promise.all(everyone(cast).map(({ ask }) => ask.processorUs()))
  return used.reduce((sum, one) => sum + one, 0)
}
