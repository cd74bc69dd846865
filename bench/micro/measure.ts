// Measures steps in a process of its own: time, or with the parameter `count` bytes.
import { setImmediate } from 'node:timers/promises'
import { predictableIds } from 'clew/testing'
import { allocatedBy } from '../harness/allocations.ts'
import { Collections } from '../harness/collections.ts'
import { answerParent } from '../harness/remote.ts'
import { choices } from './choices.ts'
import { MadeCalls } from './made-calls.ts'
import { COUNT, type Measuring, type Timed } from './measuring.ts'
import { partsOf } from './parts.ts'
import { sidesOf } from './sides.ts'
import type { Step, StepGroup } from './step.ts'
import { traceSteps } from './traces.ts'
import { wholeCalls } from './whole.ts'

/** How often a step is done before it is measured; a trace's are done a thousand at a time. */
const WARM_UP: Readonly<Record<StepGroup, number>> = {
  parts: 200_000,
  call: 40_000,
  whole: 40_000,
  trace: 400_000,
  choices: 200_000,
}
/** How long a step is done at a time, milliseconds. */
const BATCH_MS = 3
/** The same where collecting garbage is to be part of it. */
const LONG_BATCH_MS = 50
/**
 * How often it is done when its bytes are counted: often, because buffers are taken from slabs that
 * count when they are made. Calls a few at a time, so that the process does not find itself stalled.
 */
const COUNTED: Readonly<Record<StepGroup, number>> = {
  parts: 20_000,
  call: 8_000,
  whole: 4_000,
  trace: 1,
  choices: 20_000,
}
const COUNTED_AT_A_TIME = 500

const steps = await allSteps(process.argv.includes(COUNT))
const timesOf = new Map<string, number>()
const collections = new Collections()
/** Made of everything that was done, so that no compiler leaves any of it out. */
let kept = 0

answerParent<Measuring>(
  {
    steps: async () =>
      [...steps.values()].map(({ key, title, group, large = false }) => ({
        ...{ key, title, group, large },
      })),
    warmUp: async (key: string) => warmUp(stepOf(key)),
    time: async (key: string) => time(stepOf(key)),
    count: async (key: string) => count(stepOf(key)),
  },
  async () => {
    if (Number.isNaN(kept)) throw new Error('a step gave no number')
  },
)

async function allSteps(counting: boolean): Promise<ReadonlyMap<string, Step>> {
  // Compiled code differs by the numbers that it meets, so those that count always meet the same.
  if (counting) predictableIds()
  const calls = new MadeCalls()
  const parts = [...(await partsOf(calls)), ...(await sidesOf(calls))]
  const all = [...parts, ...(await wholeCalls()), ...traceSteps()]
  return new Map([...all, ...choices(calls)].map((step) => [step.key, step]))
}

function stepOf(key: string): Step {
  const step = steps.get(key)
  if (step === undefined) throw new Error(`there is no step ${key}`)
  return step
}

async function warmUp(step: Step): Promise<void> {
  const { key, grain, group, run, without } = step
  await doInPieces(run, grain, WARM_UP[group])
  if (without !== undefined) await doInPieces(without, grain, WARM_UP[group])
  const piece = multiple(COUNTED_AT_A_TIME, grain)
  const began = performance.now()
  await keep(run(piece))
  const eachMs = (performance.now() - began) / piece
  const batchMs = group === 'choices' ? LONG_BATCH_MS : BATCH_MS
  timesOf.set(key, multiple(batchMs / eachMs, grain))
}

async function time(step: Step): Promise<Timed> {
  const times = timesOf.get(step.key) ?? multiple(1, step.grain)
  const before = step.group === 'choices' ? await collections.tookMs() : 0
  const took = async (work: Step['run'] | undefined) => {
    if (work === undefined) return 0
    const began = performance.now()
    const outcome = work(times)
    kept += typeof outcome === 'number' ? outcome : await outcome
    return performance.now() - began
  }
  // Whichever comes second finds warmer caches.
  const first = Math.random() < 0.5
  const early = first ? 0 : await took(step.without)
  const all = await took(step.run)
  const without = first ? await took(step.without) : early
  const nsOf = (ms: number) => (ms * 1e6) / times
  const collectingNs = step.group === 'choices' ? nsOf((await collections.tookMs()) - before) : null
  return { ns: nsOf(all - without), collectingNs }
}

async function count({ run, without, grain, group }: Step): Promise<number> {
  const times = multiple(COUNTED[group], grain)
  const atOnce = group === 'parts' || group === 'choices'
  const bytes = (work: Step['run']) =>
    allocatedBy(() => (atOnce ? keep(work(times)) : doInPieces(work, grain, times)))
  const all = await bytes(run)
  return (all - (without === undefined ? 0 : await bytes(without))) / times
}

/** A few at a time: timers, and what was put off, get their turns between. */
async function doInPieces(work: Step['run'], grain: number | undefined, times: number) {
  const piece = Math.min(times, multiple(COUNTED_AT_A_TIME, grain))
  for (let done = 0; done < times; done += piece) {
    await keep(work(piece))
    await setImmediate()
  }
}

async function keep(outcome: number | Promise<number>): Promise<void> {
  kept += await outcome
}

/** The nearest multiple of the grain, at least one. */
function multiple(times: number, grain = 1): number {
  return Math.max(1, Math.round(times / grain)) * grain
}
