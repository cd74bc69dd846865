import { CallPaths, type Sample } from './call-paths.ts'
import { discoveryLimit, fisherP, quantileOf } from './chance.ts'
import type {
  Contribution,
  Difference,
  DifferingLeg,
  KindChange,
  PathChange,
} from './difference-shape.ts'
import { differenceSentences } from './difference-words.ts'
import { type Explained, explain } from './explained.ts'
import { type Lift, liftsOf } from './lift.ts'
import { pathName } from './path-table.ts'
import { type PathSide, type PathTest, type Trait, testPaths, timesP } from './path-tests.ts'
import { type Sides, sidesOf } from './sides.ts'
import { suspectsOf } from './suspects.ts'

export interface CompareOptions {
  /** How the sides are called. @default ['before', 'after'] */
  readonly names?: readonly [before: string, after: string]
  /** Of what is reported this share may be chance, at most. @default 0.05 */
  readonly chance?: number
}

const MOST_CONTRIBUTIONS = 20

/**
 * Compares two populations of traces: which call paths explain the difference, and whether there is
 * one at all that could not be chance. All tests of one answer share one bound on false alarms
 * (Benjamini and Hochberg), those of attributes a second; each has half of `chance`.
 */
export function compare(
  before: CallPaths | Sample,
  after: CallPaths | Sample,
  { names = ['before', 'after'], chance = 0.05 }: CompareOptions = {},
): Difference {
  const samples = [sampleOf(before), sampleOf(after)] as const
  const sides = sidesOf(...samples)
  const tests = sides.shared.flatMap((kind) => testPaths(kind, sides.table))
  const totals = sides.shared.map((kind) => {
    const [a, b] = [kind.before, kind.after].map((list) => list.map(({ totalMs }) => totalMs))
    return timesP(a!, b!)
  })
  const failures = failuresOf(sides)
  const kinds = kindsOf(sides)
  const ps = [...totals, failures.p, ...kinds.map(({ p }) => p)]
  for (const test of tests) for (const p of Object.values(test.p)) ps.push(p)
  // What cannot differ is no test.
  const limit = discoveryLimit(
    ps.filter((p) => p < 1),
    chance / 2,
  )
  const paths = tests
    .map((test) => changeOf(test, limit, sides))
    .filter(({ differs }) => differs.length > 0)
    .sort((a, b) => Math.abs(b.deltaMs) - Math.abs(a.deltaMs) || a.p - b.p)
  const sure = (p: number) => p <= limit && p < 1
  const slower = totals.some(sure)
  const { explained, contributions } = contributionsOf(sides, paths, tests)
  const attributes = attributesOf(sides, chance / 2)
  const told = {
    before: { traces: sides.before, of: samples[0].of },
    after: { traces: sides.after, of: samples[1].of },
    certain:
      paths.length > 0 ||
      slower ||
      sure(failures.p) ||
      kinds.some(({ p }) => sure(p)) ||
      attributes.length > 0,
    total: explained && { ...totalOf(explained, sides), certain: slower },
    failures: { ...failures, certain: sure(failures.p) },
    contributions: slower ? contributions : [],
    paths,
    kinds: kinds.filter(({ p }) => sure(p)),
    attributes,
    suspects: suspectsOf(paths, explained?.afterMs ?? 0, sides),
  }
  return { ...told, sentences: differenceSentences(told, names) }
}

/**
 * Splits one population in its fast and its slow requests, each kind by itself.
 * @param share 0.95: the slowest twentieth of each kind against the others
 */
export function splitBySpeed(
  population: CallPaths | Sample,
  share: number,
): readonly [fast: Sample, slow: Sample] {
  const { table, profiles } = sampleOf(population)
  const kinds = Map.groupBy(profiles, ({ root }) => root)
  const halves = [...kinds.values()].map((kind) => {
    const totals = Float64Array.from(kind, ({ totalMs }) => totalMs).sort()
    const limit = quantileOf(totals, share)
    return Map.groupBy(kind, ({ totalMs }) => totalMs > limit)
  })
  const side = (isSlow: boolean): Sample => {
    const list = halves.flatMap((half) => half.get(isSlow) ?? [])
    return { table, profiles: list, of: list.length }
  }
  return [side(false), side(true)]
}

const sampleOf = (given: CallPaths | Sample): Sample =>
  given instanceof CallPaths ? given.sample : given

function failuresOf({ kinds, before, after }: Sides) {
  const count = (side: 'before' | 'after') =>
    kinds.reduce((sum, kind) => sum + kind[side].filter(({ failed }) => failed).length, 0)
  const [a, b] = [count('before'), count('after')]
  const p = fisherP(a, before, b, after)
  return { before: before > 0 ? a / before : 0, after: after > 0 ? b / after : 0, p }
}

function kindsOf({ kinds, before, after, table }: Sides): readonly KindChange[] {
  if (kinds.length < 2) return []
  return kinds.map(({ root, before: a, after: b }) => ({
    name: pathName(table.at(root)),
    ...{ before: a.length / Math.max(1, before), after: b.length / Math.max(1, after) },
    p: fisherP(a.length, before, b.length, after),
  }))
}

function changeOf(
  { path, kind, before, after, p }: PathTest,
  limit: number,
  { table }: Sides,
): PathChange {
  const differs = (Object.keys(p) as Trait[])
    .filter((trait) => p[trait] <= limit && p[trait] < 1)
    .map((trait) =>
      trait !== 'presence'
        ? trait
        : before.traces === 0
          ? 'new'
          : after.traces === 0
            ? 'missing'
            : trait,
    )
  const at = table.at(path)
  return {
    ...{ path: at, names: table.names(path), name: pathName(at), differs, before, after },
    deltaMs: (after.criticalMs - before.criticalMs) * kind.weight,
    leg: legOf([{ before, after }]),
    p: Math.min(...Object.values(p)),
  }
}

function legOf(tests: readonly { before: PathSide; after: PathSide }[]): DifferingLeg {
  const moved = (key: 'workMs' | 'queueMs' | 'wayMs') =>
    Math.abs(tests.reduce((sum, { before, after }) => sum + after[key] - before[key], 0))
  const [work, queue, way] = [moved('workMs'), moved('queueMs'), moved('wayMs')]
  return way > work && way >= queue ? 'way' : queue > work ? 'queue' : 'work'
}

/** By method, wherever it is called from. */
function contributionsOf(
  sides: Sides,
  paths: readonly PathChange[],
  tests: readonly PathTest[],
): { explained: Explained | undefined; contributions: readonly Contribution[] } {
  if (sides.shared.length === 0) return { explained: undefined, contributions: [] }
  const certain = paths.filter(({ differs }) => differs.length > 0)
  const sums = [...Map.groupBy(certain, ({ name }) => name).values()]
    .map((group) => ({ group, ms: group.reduce((sum, { deltaMs }) => sum + deltaMs, 0) }))
    .sort((a, b) => Math.abs(b.ms) - Math.abs(a.ms))
    .slice(0, MOST_CONTRIBUTIONS)
  // All paths of the method are asked about, those included that do not differ for sure by themselves.
  const named = Map.groupBy(tests, ({ path }) => pathName(sides.table.at(path)))
  const groups = sums.map(({ group }) => named.get(group[0]!.name) ?? [])
  const sets = groups.map((group) => new Set(group.map(({ path }) => path)))
  const explained = explain(sides.shared, sets)
  const contributions = sums.map(({ group }, index): Contribution => {
    const { ms, deltaMs, share } = explained.groups[index]!
    const [first] = group
    const { service, method } = first!.path
    const whole = explained.deltaMs.ms
    return {
      ...{ service, method, names: first!.names, paths: groups[index]!.length, ms, deltaMs },
      ...{ share: whole === 0 ? 0 : ms / whole, shares: share, leg: legOf(groups[index]!) },
    }
  })
  const direction = Math.sign(explained.deltaMs.ms) || 1
  contributions.sort((a, b) => direction * (b.ms - a.ms))
  return { explained, contributions }
}

function totalOf({ window, beforeMs, afterMs, deltaMs }: Explained, { shared }: Sides) {
  const sorted = (side: 'before' | 'after') =>
    shared.map((kind) => ({
      weight: kind.weight,
      totals: Float64Array.from(kind[side], ({ totalMs }) => totalMs).sort(),
    }))
  const [a, b] = [sorted('before'), sorted('after')]
  const at = (kinds: typeof a, share: number) =>
    kinds.reduce((sum, { weight, totals }) => sum + weight * quantileOf(totals, share), 0)
  return {
    ...{ window, beforeMs, afterMs, deltaMs },
    medians: { beforeMs: at(a, 0.5), afterMs: at(b, 0.5) },
    p95s: { beforeMs: at(a, 0.95), afterMs: at(b, 0.95) },
  }
}

/** Of kinds of requests that both have: others have other services, which is told of the mix. */
function attributesOf({ shared }: Sides, chance: number): readonly Lift[] {
  const all = (side: 'before' | 'after') => shared.flatMap((kind) => kind[side])
  const lifts = liftsOf(all('before'), all('after'))
  const limit = discoveryLimit(
    lifts.map(({ p }) => p),
    chance,
  )
  return lifts
    .filter(({ p }) => p <= limit)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before) || a.p - b.p)
    .slice(0, 50)
}
