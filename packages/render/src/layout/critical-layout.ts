import { type CallTree, callName } from 'clew/trace'
import { type CriticalStep, criticalSteps, type Leg } from '../outline/critical-steps.ts'
import { visible } from '../visible.ts'
import { textWidth } from './measure.ts'
import { type Tick, ticksBetween } from './ticks.ts'
import type { Extent } from './waterfall-layout.ts'

/** A method on the critical path, or all that are not drawn by themselves. */
export interface CriticalLane {
  readonly service: string
  readonly method: string
  readonly calls: number
  /** Where it ran; empty where in several places. */
  readonly host: string
  readonly ms: number
  readonly share: number
  /** Time by leg, in milliseconds. */
  readonly legs: Readonly<Record<Leg, number>>
  readonly parts: readonly { readonly leg: Leg; readonly extent: Extent }[]
  /** True for the lane that stands for the rest. */
  readonly rest: boolean
}

export interface CriticalLayout {
  readonly width: number
  readonly gutter: number
  readonly axis: Extent
  readonly ticks: readonly (Tick & { readonly x: number })[]
  readonly lanes: readonly CriticalLane[]
  /** From the end of each stretch to the beginning of the next: where, and between which lanes. */
  readonly turns: readonly { readonly x: number; readonly from: number; readonly to: number }[]
  readonly steps: readonly CriticalStep[]
}

const MOST_LANES = 40
/** Beyond, lines between lanes would be a carpet. */
const MOST_TURNS = 600
const COLUMNS = 300

interface Gathered {
  readonly steps: CriticalStep[]
  ms: number
}

/** Lays the critical path out as a lane a method, in the order in which the answer came to wait for them. */
export function criticalLayout(tree: CallTree, width: number): CriticalLayout {
  const steps = criticalSteps(tree)
  const byName = new Map<string, Gathered>()
  for (const step of steps) {
    const key = `${step.call.edge} ${callName(step.call)}`
    const gathered = byName.get(key) ?? { steps: [], ms: 0 }
    gathered.steps.push(step)
    gathered.ms += step.toMs - step.fromMs
    byName.set(key, gathered)
  }
  const kept = new Set(
    [...byName.values()].sort((one, other) => other.ms - one.ms).slice(0, MOST_LANES - 1),
  )
  const shown: Gathered[] = []
  const rest: Gathered = { steps: [], ms: 0 }
  for (const gathered of byName.values()) {
    if (kept.has(gathered) || byName.size <= MOST_LANES) shown.push(gathered)
    else {
      for (const step of gathered.steps) rest.steps.push(step)
      rest.ms += gathered.ms
    }
  }
  if (rest.steps.length > 0) shown.push(rest)
  const names = shown.map(({ steps: [first] }) => nameWidth(first!))
  const gutter = Math.min(
    420,
    names.reduce((most, each) => Math.max(most, each), 220),
  )
  const axis = { x: gutter + 12, width: Math.max(240, width - gutter - 12 - COLUMNS) }
  const extent = scaleOf(tree, axis)
  const lanes = shown.map(
    (gathered): CriticalLane => laneOf(tree, gathered, extent, gathered === rest),
  )
  return {
    width: axis.x + axis.width + COLUMNS,
    ...{ gutter, axis, lanes, steps },
    turns: turnsOf(steps, shown, extent),
    ticks: ticksBetween(0, tree.totalMs, axis.width / 150).map((tick) => ({
      ...tick,
      x: extent(tick.ms, tick.ms).x,
    })),
  }
}

function laneOf(
  tree: CallTree,
  { steps, ms }: Gathered,
  extent: (fromMs: number, toMs: number) => Extent,
  rest: boolean,
): CriticalLane {
  const [{ call }] = steps as [CriticalStep]
  const calls = new Set(steps.map((step) => step.call))
  const hosts = new Set(steps.map((step) => step.call.host ?? ''))
  const legs = { wait: 0, queue: 0, work: 0, unknown: 0 }
  for (const step of steps) legs[step.leg] += step.toMs - step.fromMs
  return {
    service: rest ? '' : visible(call.service),
    method: rest ? 'all others' : visible(call.method),
    ...{ calls: calls.size, host: hosts.size === 1 ? visible([...hosts][0]!) : '', ms, legs, rest },
    share: tree.totalMs > 0 ? ms / tree.totalMs : 0,
    parts: steps.map(({ leg, fromMs, toMs }) => ({ leg, extent: extent(fromMs, toMs) })),
  }
}

function turnsOf(
  steps: readonly CriticalStep[],
  shown: readonly Gathered[],
  extent: (fromMs: number, toMs: number) => Extent,
): CriticalLayout['turns'] {
  if (steps.length > MOST_TURNS) return []
  const laneOfStep = new Map<CriticalStep, number>()
  for (const [lane, gathered] of shown.entries()) {
    for (const step of gathered.steps) laneOfStep.set(step, lane)
  }
  return steps.slice(1).flatMap((step, index) => {
    const [from, to] = [laneOfStep.get(steps[index]!)!, laneOfStep.get(step)!]
    return from === to ? [] : [{ x: extent(step.fromMs, step.fromMs).x, from, to }]
  })
}

const nameWidth = ({ call }: CriticalStep) =>
  18 +
  textWidth(visible(call.service), 'inter600', 13) +
  8 +
  textWidth(visible(call.method), 'inter400', 13) +
  40

function scaleOf({ root, totalMs }: CallTree, axis: Extent) {
  const at = (ms: number) => {
    const share = totalMs > 0 ? (ms - root.offsetMs) / totalMs : 0
    return axis.x + Math.min(1, Math.max(0, share)) * axis.width
  }
  return (fromMs: number, toMs: number): Extent => ({
    x: at(fromMs),
    width: Math.max(0, at(toMs) - at(fromMs)),
  })
}
