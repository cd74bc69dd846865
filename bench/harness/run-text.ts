import type { Machine } from './machine.ts'

export interface Run {
  readonly startedAt: string
  readonly seconds: number
  readonly rounds: number
  readonly machine: Machine
  /** As shares of all cores' time; what was not watched is not told. */
  readonly otherWork?: { readonly before: number; readonly after?: number }
}

/** Longer runs are told in minutes. */
const MOST_SECONDS = 90

/** How results came about: when, in which time, on what, and what else the machine did. @param details of the suite */
export function runText(run: Run, details: readonly string[] = []): string {
  const { startedAt, seconds, rounds, machine, otherWork } = run
  const time =
    seconds > MOST_SECONDS ? `${(seconds / 60).toFixed(1)} minutes` : counted(seconds, 'second')
  const parts = [
    counted(rounds, 'round'),
    ...details,
    `Node ${machine.node.slice(1)}`,
    `Clew ${machine.clew}`,
    machine.processor,
    counted(machine.cores, 'core'),
    `${machine.memoryGb} GB`,
    machine.system,
  ]
  const ran = `Run on ${startedAt.slice(0, 10)} in ${time}: ${parts.join(', ')}.`
  if (otherWork === undefined) return ran
  const { before, after } = otherWork
  const andAfter = after === undefined ? '' : ` the run and ${percent(after)} just after it`
  return `${ran} Other work kept ${percent(before)} of the cores busy just before${andAfter}.`
}

/** `1 round`, `2 rounds`, `1,000 rounds`. */
export function counted(count: number, what: string): string {
  const whole = Math.round(count)
  return `${whole.toLocaleString('en-US')} ${what}${whole === 1 ? '' : 's'}`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
