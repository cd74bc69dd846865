import { type Bounds, contradict, UNKNOWN } from './bounds.ts'

/** What is known of the callee's clock against the caller's. */
export interface PairBounds extends Bounds {
  readonly caller: string
  readonly callee: string
}

/** A host's clock against that of the first host of those that calls connect with it. */
export interface Aligned extends Bounds {
  readonly host: string
  /** Equal for hosts that calls connect. */
  readonly group: number
  /** By which it is taken to be ahead. */
  readonly offsetMs: number
}

export interface Alignment {
  readonly hosts: ReadonlyMap<string, Aligned>
  /** Hosts that no offsets suit, so that what is told of them is near at best. */
  readonly contradictory: readonly string[]
}

/** Relaxing so often finds bounds over so many hops at least; more hops only make them tighter. */
const ROUNDS = 16

interface Vertex {
  readonly host: string
  readonly edges: Edge[]
  group: number
  leastMs: number
  mostMs: number
  offsetMs: number | undefined
}

interface Edge extends Bounds {
  readonly from: Vertex
  readonly to: Vertex
  readonly widthMs: number
}

/**
 * One offset for each host from the bounds of pairs: difference constraints, relaxed from a host of
 * each connected group (Bellman and Ford), which also tightens what pairs tell of each other. Every
 * relaxed bound is one of a real chain of pairs, so it holds however early that ends. Least above most
 * is a negative cycle: clocks that no offsets suit. Clocks are believed where that is within bounds,
 * first that a host has the time of the nearest host that is placed already, by the narrowest pair.
 */
export function align(first: string | undefined, pairs: readonly PairBounds[]): Alignment {
  const vertices = new Map<string, Vertex>()
  const vertex = (host: string): Vertex => {
    let known = vertices.get(host)
    if (known === undefined) {
      known = { host, edges: [], group: -1, ...UNKNOWN, offsetMs: undefined }
      vertices.set(host, known)
    }
    return known
  }
  if (first !== undefined) vertex(first)
  const edges: Edge[] = []
  for (const { caller, callee, leastMs, mostMs } of pairs) {
    const [from, to] = [vertex(caller), vertex(callee)]
    const widthMs = mostMs - leastMs
    const edge = { from, to, leastMs, mostMs, widthMs }
    edges.push(edge)
    from.edges.push(edge)
    to.edges.push({ from: to, to: from, leastMs: -mostMs, mostMs: -leastMs, widthMs })
  }
  let groups = 0
  for (const each of vertices.values()) if (each.group < 0) gather(each, groups++)
  for (let round = 0; round < ROUNDS && relax(edges); round++);
  const contradictory = [...vertices.values()].filter(contradict)
  const torn = new Set(contradictory.map(({ group }) => group))
  for (const each of vertices.values()) {
    if (each.offsetMs === undefined) place(each, torn.has(each.group))
  }
  const hosts = new Map<string, Aligned>()
  for (const { host, group, offsetMs = 0, leastMs, mostMs } of vertices.values()) {
    // Bounds that contradict each other prove nothing.
    hosts.set(host, {
      ...{ host, group, offsetMs },
      ...(torn.has(group) ? UNKNOWN : { leastMs, mostMs }),
    })
  }
  return { hosts, contradictory: contradictory.map(({ host }) => host) }
}

/** Marks all that a host is connected with. */
function gather(origin: Vertex, group: number): void {
  origin.group = group
  origin.leastMs = 0
  origin.mostMs = 0
  const open = [origin]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { to } of next.edges) {
      if (to.group >= 0) continue
      to.group = group
      open.push(to)
    }
  }
}

/** True where anything became tighter. */
function relax(edges: readonly Edge[]): boolean {
  let changed = false
  for (const { from, to, leastMs, mostMs } of edges) {
    const there = tighten(to, from.leastMs + leastMs, from.mostMs + mostMs)
    const back = tighten(from, to.leastMs - mostMs, to.mostMs - leastMs)
    changed ||= there || back
  }
  return changed
}

function tighten(vertex: Vertex, leastMs: number, mostMs: number): boolean {
  const least = Math.max(vertex.leastMs, leastMs)
  const most = Math.min(vertex.mostMs, mostMs)
  if (least === vertex.leastMs && most === vertex.mostMs) return false
  vertex.leastMs = least
  vertex.mostMs = most
  return true
}

/** Gives offsets to a group, along the spanning tree of its narrowest edges (Prim). */
function place(origin: Vertex, torn: boolean): void {
  origin.offsetMs = 0
  const reached = new Heap()
  for (const edge of origin.edges) reached.push(edge)
  for (let edge = reached.pop(); edge !== undefined; edge = reached.pop()) {
    const { from, to } = edge
    if (to.offsetMs !== undefined) continue
    to.offsetMs = torn
      ? from.offsetMs! + believed(edge, [0])
      : believed(withinAll(to), [from.offsetMs!, 0])
    for (const next of to.edges) if (next.to.offsetMs === undefined) reached.push(next)
  }
}

/** What a host's offset has to be, those given already included. */
function withinAll(vertex: Vertex): Bounds {
  let { leastMs, mostMs } = vertex
  for (const edge of vertex.edges) {
    const { offsetMs } = edge.to
    if (offsetMs === undefined) continue
    leastMs = Math.max(leastMs, offsetMs - edge.mostMs)
    mostMs = Math.min(mostMs, offsetMs - edge.leastMs)
  }
  const bounds = { leastMs, mostMs }
  // What was given has left no room: the middle of what is proved suits all.
  return contradict(bounds) ? vertex : bounds
}

/** The first guess that can be true, else the middle, or the nearest where one side is open. */
function believed(bounds: Bounds, guesses: readonly number[]): number {
  const { leastMs, mostMs } = bounds
  const guess = guesses.find((each) => each >= leastMs && each <= mostMs)
  if (guess !== undefined) return guess
  if (leastMs === -Infinity) return Math.min(guesses[0]!, mostMs)
  if (mostMs === Infinity) return Math.max(guesses[0]!, leastMs)
  // Whole microseconds, as stamps are: durations that an offset divides stay so.
  return Math.round((leastMs + mostMs) * 500) / 1000
}

/** Edges, the narrowest first. */
class Heap {
  readonly #edges: Edge[] = []

  push(edge: Edge): void {
    const edges = this.#edges
    let at = edges.push(edge) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (edges[above]!.widthMs <= edge.widthMs) break
      edges[at] = edges[above]!
      at = above
    }
    edges[at] = edge
  }

  pop(): Edge | undefined {
    const edges = this.#edges
    const first = edges[0]
    const last = edges.pop()
    if (last === undefined || edges.length === 0) return first
    let at = 0
    for (let below = 1; below < edges.length; below = at * 2 + 1) {
      const right = below + 1
      if (right < edges.length && edges[right]!.widthMs < edges[below]!.widthMs) below = right
      if (last.widthMs <= edges[below]!.widthMs) break
      edges[at] = edges[below]!
      at = below
    }
    edges[at] = last
    return first
  }
}
