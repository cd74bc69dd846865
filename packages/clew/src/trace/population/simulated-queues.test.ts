import type { Entry, Trace } from '../entry.ts'

/** A service of a simulated system. */
export interface SimulatedService {
  readonly name: string
  /** Calls that an instance handles at a time; the others wait in the broker. */
  readonly workers: number
  /** Mean of its own work, which is exponentially distributed. */
  readonly workMs: number
  /** Services that it calls then, one after the other. @default [] */
  readonly calls?: readonly string[]
}

export interface SimulatedStep {
  /** Requests a second, arriving at random (Poisson). */
  readonly rate: number
  readonly seconds: number
}

export interface Simulation {
  /** The first is the one that is asked from outside. */
  readonly services: readonly SimulatedService[]
  readonly steps: readonly SimulatedStep[]
  readonly seed: number
}

const T = 1_795_386_521_000

/** Traces of queues with workers, FIFO, in order of their end. Nothing takes time but work and waits. */
export function simulated({ services, steps, seed }: Simulation): readonly Trace[] {
  const random = generator(seed)
  const exponential = (meanMs: number) => -Math.log(1 - random()) * meanMs
  const stations = new Map(
    services.map((service) => [service.name, { service, busy: 0, queue: [] as Call[] }]),
  )
  const agenda = new Agenda()
  const traces: Trace[] = []
  let now = 0
  let ids = 0

  const ask = (service: string, trace: Entry[], parent: Call | undefined, done: () => void) => {
    const id = (++ids).toString(16).padStart(16, '0')
    const call: Call = { id, service, trace, parent, done }
    write(call, 'rpc-request')
    const station = stations.get(service)!
    station.queue.push(call)
    serve(service)
  }
  const write = ({ id, service, trace, parent }: Call, kind: Entry['kind'], inFlight?: number) =>
    trace.push({
      ...{ kind, timeMs: T + now, service, method: 'run', id },
      host:
        kind === 'rpc-request' || kind === 'rpc-finish' ? (parent?.service ?? 'client') : service,
      parent: parent?.id ?? null,
      ...(inFlight !== undefined && { inFlight }),
    })
  const serve = (name: string) => {
    const station = stations.get(name)!
    if (station.busy >= station.service.workers) return
    const call = station.queue.shift()
    if (call === undefined) return
    write(call, 'rpc-receive', ++station.busy)
    const left = [...(station.service.calls ?? [])]
    const next = () => {
      const callee = left.shift()
      if (callee !== undefined) {
        ask(callee, call.trace, call, next)
        return
      }
      write(call, 'rpc-respond')
      station.busy--
      write(call, 'rpc-finish')
      call.done()
      serve(name)
    }
    agenda.add(now + exponential(station.service.workMs), next)
  }

  let from = 0
  for (const { rate, seconds } of steps) {
    for (let at = from + exponential(1000 / rate); at < from + seconds * 1000; ) {
      agenda.add(at, () => {
        const entries: Entry[] = []
        const id = (++ids).toString(16).padStart(32, '0')
        ask(services[0]!.name, entries, undefined, () => traces.push(traceOf(id, entries)))
      })
      at += exponential(1000 / rate)
    }
    from += seconds * 1000
  }
  for (let event = agenda.next(); event !== undefined; event = agenda.next()) {
    now = event.atMs
    event.run()
  }
  return traces
}

export function traceOf(id: string, entries: readonly Entry[]): Trace {
  return { id, entries, folds: [], missing: [], relays: [], complete: true }
}

interface Call {
  readonly id: string
  readonly service: string
  readonly trace: Entry[]
  readonly parent: Call | undefined
  readonly done: () => void
}

interface Due {
  readonly atMs: number
  readonly run: () => void
}

/** What happens next: a binary heap. */
class Agenda {
  readonly #due: Due[] = []

  add(atMs: number, run: () => void): void {
    const due = this.#due
    let at = due.push({ atMs, run }) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (due[above]!.atMs <= due[at]!.atMs) break
      ;[due[above], due[at]] = [due[at]!, due[above]!]
      at = above
    }
  }

  next(): Due | undefined {
    const due = this.#due
    const first = due[0]
    const last = due.pop()
    if (due.length === 0 || last === undefined) return first
    due[0] = last
    for (let at = 0; ; ) {
      let least = at
      for (const below of [2 * at + 1, 2 * at + 2]) {
        if (below < due.length && due[below]!.atMs < due[least]!.atMs) least = below
      }
      if (least === at) return first
      ;[due[at], due[least]] = [due[least]!, due[at]!]
      at = least
    }
  }
}

/** Random numbers from 0 to 1, the same for the same seed. */
export function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
