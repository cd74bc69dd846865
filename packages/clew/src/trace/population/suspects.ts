import type { PathChange, Reason, Suspect } from './difference-shape.ts'
import type { Sides } from './sides.ts'

interface Method {
  readonly service: string
  readonly method: string
  readonly weights: Map<Reason['kind'], number>
}

/** Below this share of the requests, or of their time, nothing is suspected. */
const LEAST = 0.005

/**
 * Where a fault would be that made what got worse. Blamed is where failures begin, where time is
 * spent, or what is missing: not who waits for it, passes failures on, or is not called because its
 * caller failed before.
 * @param afterMs how long the requests took that the difference is told of
 */
export function suspectsOf(
  changes: readonly PathChange[],
  afterMs: number,
  { table, shared }: Sides,
): readonly Suspect[] {
  const methods = new Map<string, Method>()
  const blame = (service: string, method: string, kind: Reason['kind'], weight: number) => {
    if (!(weight >= LEAST)) return
    const key = `${service}\0${method}`
    const known = methods.get(key) ?? { service, method, weights: new Map() }
    methods.set(key, known)
    known.weights.set(kind, Math.min(1, (known.weights.get(kind) ?? 0) + weight))
  }
  const weights = new Map(shared.map(({ root, weight }) => [root, weight]))
  const failing = new Set<number>()
  const broken = new Set<number>()
  /** How much more began to fail below a path. */
  const failedBelow = new Map<number, number>()
  for (const { path, differs, before, after } of changes) {
    const fails = differs.includes('failures') && after.failures > before.failures
    const silent = differs.includes('unseen') && after.unseen > before.unseen
    if (fails || silent) broken.add(path.index)
    if (!fails) continue
    failing.add(path.index)
    for (let above = path.parent; above >= 0; above = table.at(above).parent) {
      const known = failedBelow.get(above) ?? 0
      failedBelow.set(above, known + after.failures - before.failures)
    }
  }
  const ways: Way[] = []
  for (const change of changes) {
    const { path, differs, before, after } = change
    const { service, method } = path
    const kind = weights.get(path.root) ?? 0
    if (failing.has(path.index)) {
      blame(service, method, 'failures', (after.failures - before.failures) * kind)
    }
    // A caller that failed, or to whom a call below failed, did not come to its other calls; of one that
    // left no entries none is known.
    const lost = missingIn(change) - (failedBelow.get(path.parent) ?? 0)
    if (lost > 0 && !broken.has(path.parent)) blame(service, method, 'missing', lost * kind)
    const time = (ms: number) => (afterMs > 0 ? (ms * kind) / afterMs : 0)
    blame(service, method, 'work', time(slowed(change, 'workMs', 'selfMs', 'self')))
    if (differs.includes('critical')) {
      blame(service, method, 'queue', time(after.queueMs - before.queueMs))
    }
    const way = time(slowed(change, 'wayMs', 'awayMs', 'way'))
    const caller = path.parent < 0 ? '' : table.at(path.parent).service
    if (way >= LEAST) ways.push({ caller, service, method, weight: way })
  }
  for (const { service, method, weight } of blamed(ways)) blame(service, method, 'way', weight)
  return ranked([...methods.values()])
}

/**
 * How much longer requests waited for it. Time that they wait for now where they waited for something
 * beside it before is not its fault: it must have become longer itself. What nobody waits for counts
 * half.
 */
function slowed(
  { differs, before, after }: PathChange,
  critical: 'workMs' | 'wayMs',
  own: 'selfMs' | 'awayMs',
  trait: 'self' | 'way',
): number {
  const longer = after[own] - before[own]
  const waited = differs.includes('critical') ? after[critical] - before[critical] : 0
  return Math.max(Math.min(longer, waited), differs.includes(trait) ? longer / 2 : 0)
}

function missingIn({ differs, before, after }: PathChange): number {
  const gone = differs.some((trait) => trait === 'presence' || trait === 'missing')
  const unseen = differs.includes('unseen') ? after.unseen - before.unseen : 0
  return Math.max(gone ? before.presence - after.presence : 0, unseen)
}

interface Way {
  readonly caller: string
  readonly service: string
  readonly method: string
  readonly weight: number
}

/**
 * What is slow between two services may be the fault of either: it is that of the one that all slow
 * ways have in shared, and of the callee where both have.
 */
function blamed(ways: readonly Way[]): readonly Way[] {
  const touching = new Map<string, { all: number; called: number }>()
  let sum = 0
  for (const { caller, service, weight } of ways) {
    sum += weight
    for (const name of new Set([caller, service])) {
      const touched = touching.get(name) ?? { all: 0, called: 0 }
      touching.set(name, touched)
      touched.all += weight
      if (name === service) touched.called += weight
    }
  }
  const order = [...touching].sort(([, a], [, b]) =>
    Math.abs(a.all - b.all) > 0.05 * sum ? b.all - a.all : b.called - a.called,
  )
  const [first] = order
  if (first === undefined || first[1].all < 0.5 * sum || first[1].called >= 0.95 * sum) return ways
  const [culprit] = first
  return ways.map((way) =>
    way.service === culprit || way.caller !== culprit
      ? way
      : // Its own method is not known from here: the ways that lead out of it have many.
        {
          ...way,
          service: culprit,
          method: ways.find(({ service }) => service === culprit)?.method ?? '',
        },
  )
}

/** Reasons of different kinds do not add up to more than certainty. */
const together = (weights: Iterable<number>) => {
  let rest = 1
  for (const weight of weights) rest *= 1 - Math.min(1, weight)
  return 1 - rest
}

function ranked(methods: readonly Method[]): readonly Suspect[] {
  const services = new Map<string, Map<Reason['kind'], number>>()
  for (const { service, weights } of methods) {
    const sums = services.get(service) ?? new Map<Reason['kind'], number>()
    services.set(service, sums)
    for (const [kind, weight] of weights) sums.set(kind, (sums.get(kind) ?? 0) + weight)
  }
  return methods
    .map(({ service, method, weights }) => ({
      ...{ service, method, weight: together(weights.values()) },
      serviceWeight: together(services.get(service)!.values()),
      reasons: [...weights]
        .map(([kind, weight]) => ({ kind, weight }))
        .sort((a, b) => b.weight - a.weight),
    }))
    .sort((a, b) => b.serviceWeight - a.serviceWeight || b.weight - a.weight)
    .slice(0, 50)
}
