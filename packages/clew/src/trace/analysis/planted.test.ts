import type { CallTree } from '../call-node.ts'
import { callTree } from '../call-tree.ts'
import type { Edge, Entry, Missing, Status } from '../entry.ts'

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const CAUSES = [
  ...(['error', 'timeout', 'crash', 'lost-reply'] as const),
  ...(['slow-method', 'slow-queue', 'slow-start', 'slow-instance', 'slow-db'] as const),
] as const

export type Cause = (typeof CAUSES)[number]

/** A call as it was in truth: all times in milliseconds on one clock, from when the request began. */
export interface TrueCall {
  readonly id: string
  readonly service: string
  readonly method: string
  readonly host: string
  readonly pid: number
  readonly edge: Edge
  readonly parent: TrueCall | undefined
  /** What it does, in order: work of so many milliseconds, or calls that are made at once. */
  readonly steps: (number | TrueCall[])[]
  readonly calls: TrueCall[]
  attempt: number
  /** Its caller goes on when it fails. */
  optional: boolean
  extra: { queue: number; start: number; work: number }
  fails: 'error' | 'crash' | 'lost-reply' | undefined
  /** When its caller stops waiting, after the request; of all calls that may not end. */
  deadline: number
  request: number
  receive: number
  start: number
  respond: number | undefined
  finish: number | undefined
  status: Status
  error: string | undefined
  late: boolean
}

export interface Planted {
  readonly cause: Cause
  readonly culprit: TrueCall
  readonly root: TrueCall
  readonly tree: CallTree
  /** False where no record of the culprit is left. */
  readonly visible: boolean
}

const SERVICES = ['orders', 'products', 'payments', 'stock', 'mail', 'prices', 'users', 'search']
const T = 1_795_386_521_000

/** One made-up request with one cause of trouble in it. */
export class World {
  readonly #random: () => number
  readonly #offsets = new Map<string, number>()
  #ids = 0

  constructor(seed: number) {
    this.#random = generator(seed)
  }

  #between(from: number, to: number): number {
    return from + this.#random() * (to - from)
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }

  /** @param foreign keeps each side of a call in a record of its own, some of which are dropped */
  plant(cause: Cause, { foreign = false } = {}): Planted {
    for (;;) {
      const root = this.#call(undefined, 'gateway', `handle_${Math.floor(this.#between(0, 5))}`, 0)
      const culprit = this.#choose(root, cause)
      if (culprit === undefined) continue
      this.#run(root, 0)
      this.#spoil(culprit, root, cause)
      this.#run(root, 0)
      if (foreign) return { cause, culprit, root, ...this.#foreignTree(root, culprit) }
      return { cause, culprit, root, ...this.#ownTree(root, culprit) }
    }
  }

  #call(
    parent: TrueCall | undefined,
    service: string,
    method: string,
    depth: number,
    edge: Edge = 'call',
  ): TrueCall {
    const replica = Math.floor(this.#between(0, 3))
    const call: TrueCall = {
      id: (++this.#ids).toString(16).padStart(16, 'c'),
      ...{ service, method, edge, parent },
      ...{ host: `${service}-${replica % 2}`, pid: 100 + replica, steps: [], calls: [] },
      ...{ attempt: 1, optional: false, extra: { queue: 0, start: 0, work: 0 }, fails: undefined },
      ...{ deadline: 10_000, request: 0, receive: 0, start: 0, respond: 0, finish: 0 },
      ...{ status: 'ok', error: undefined, late: false },
    }
    if (edge === 'down') {
      call.steps.push(this.#between(1, 4))
      return call
    }
    const add = (group: TrueCall[]) => {
      call.steps.push(group)
      for (const each of group) call.calls.push(each)
    }
    call.steps.push(this.#between(0.5, 4))
    const others = SERVICES.filter((name) => name !== service)
    for (
      let step = depth >= 3 ? 0 : Math.floor(this.#between(depth === 0 ? 1 : 0, 4));
      step > 0;
      step--
    ) {
      const [name, asked] = [this.#pick(others), `get_${Math.floor(this.#between(0, 6))}`]
      const kind = this.#random()
      const below = () => this.#call(call, name, asked, depth + 1)
      if (kind < 0.5) add([below()])
      else if (kind < 0.7) add([below(), this.#call(call, this.#pick(others), 'list', depth + 1)])
      else if (kind < 0.85 && depth < 2) this.#fanOut(call, name, add)
      else this.#retried(call, name, asked, add)
      call.steps.push(this.#between(0.2, 2))
    }
    if (this.#chance(0.6)) {
      add([this.#call(call, `${service}.db`, 'SELECT * FROM things', depth + 1, 'down')])
      call.steps.push(this.#between(0.2, 2))
    }
    if (this.#chance(0.15) && depth > 0) call.optional = true
    return call
  }

  /** Many calls of one method at once, to instances in turn. */
  #fanOut(call: TrueCall, name: string, add: (group: TrueCall[]) => void): void {
    const group: TrueCall[] = []
    const count = Math.floor(this.#between(4, 13))
    for (let index = 0; index < count; index++) {
      const each = this.#call(call, name, 'fetch', 3)
      Object.assign(each, { host: `${name}-${index % 6}`, pid: 100 + (index % 6) })
      group.push(each)
    }
    add(group)
  }

  /** A first try that fails now and then, and a second that succeeds. */
  #retried(call: TrueCall, name: string, asked: string, add: (group: TrueCall[]) => void): void {
    if (this.#chance(0.3)) {
      const first = this.#call(call, name, asked, 3)
      Object.assign(first, { fails: 'error', optional: true })
      const second = this.#call(call, name, asked, 3)
      second.attempt = 2
      add([first])
      call.steps.push(this.#between(0.5, 2))
      add([second])
    } else {
      add([this.#call(call, name, asked, 3)])
    }
  }

  #choose(root: TrueCall, cause: Cause): TrueCall | undefined {
    const fits = allOf(root).filter((call) => {
      if (call === root || call.fails !== undefined || call.attempt > 1) return false
      if (cause === 'slow-db') return call.edge === 'down'
      if (cause === 'slow-instance') return call.method === 'fetch'
      return cause === 'error' || call.edge === 'call'
    })
    return fits.length === 0 ? undefined : this.#pick(fits)
  }

  #spoil(culprit: TrueCall, root: TrueCall, cause: Cause): void {
    // Whoever waits for it fails of it; what else there is may still be coped with.
    if (!cause.startsWith('slow')) {
      for (let up: TrueCall | undefined = culprit; up; up = up.parent) up.optional = false
    }
    const much = root.finish! * this.#between(2, 6)
    if (cause === 'error') culprit.fails = 'error'
    else if (cause === 'crash' || cause === 'lost-reply') {
      Object.assign(culprit, { fails: cause, deadline: this.#between(300, 1_500) })
    } else if (cause === 'timeout') {
      const deadline = root.finish! + this.#between(300, 1_500)
      culprit.extra.work = deadline * 3
      // Somebody above it stops waiting first, or its own caller does.
      const above = this.#chance(0.5) ? (culprit.parent ?? culprit) : culprit
      const whose = above === root ? culprit : above
      whose.deadline = deadline
    } else if (cause === 'slow-queue') culprit.extra.queue = much
    else if (cause === 'slow-start') culprit.extra.start = much
    else if (cause === 'slow-instance') {
      for (const call of culprit.parent!.calls) {
        if (call.method === 'fetch' && call.host === culprit.host) call.extra.work = much
      }
    } else culprit.extra.work = much
  }

  /** Lets a call happen; children are reached by calling itself, as depth is at most four here. */
  #run(call: TrueCall, at: number): void {
    const leg = () => (call.edge === 'down' ? 0 : this.#between(0.2, 0.6))
    Object.assign(call, { request: at, status: 'ok', error: undefined, late: false })
    call.receive =
      at + leg() + (call.edge === 'down' ? 0 : this.#between(0, 0.5)) + call.extra.queue
    call.start = call.receive + 0.05 + call.extra.start
    let now = call.start
    for (const [index, step] of call.steps.entries()) {
      if (typeof step === 'number') {
        now += step * this.#between(0.9, 1.1) + (index === 0 ? call.extra.work : 0)
        continue
      }
      for (const [place, child] of step.entries()) this.#run(child, now + place * 0.02)
      const failed = step.find(({ status, optional }) => status !== 'ok' && !optional)
      now = step.reduce((latest, { finish }) => Math.max(latest, finish!), now) + 0.05
      if (failed === undefined) continue
      Object.assign(call, { status: 'error', error: failed.error ?? 'RpcTimeout' })
      break
    }
    if (call.fails === 'error') Object.assign(call, { status: 'error', error: 'Broken' })
    call.respond = call.fails === 'crash' ? undefined : now
    call.finish = now + leg()
    const silent = call.fails === 'crash' || call.fails === 'lost-reply'
    if (!silent && call.finish - at <= call.deadline) return
    call.late = !silent
    Object.assign(call, { finish: at + call.deadline, status: 'timeout', error: 'RpcTimeout' })
  }

  /** Host clocks differ by up to five seconds; a few do not differ at all. */
  #onClock(host: string, ms: number): number {
    let offset = this.#offsets.get(host)
    if (offset === undefined) {
      offset = this.#chance(0.3) ? 0 : this.#between(-5_000, 5_000)
      this.#offsets.set(host, offset)
    }
    return Math.round((T + ms + offset) * 1000) / 1000
  }

  #sides(call: TrueCall): { caller: Entry[]; callee: Entry[] } {
    const { parent, edge, error } = call
    const place = {
      service: call.service,
      method: call.method,
      id: call.id,
      trace: 'a1'.repeat(16),
    }
    const above = { parent: parent?.id ?? null, ...(edge === 'call' ? {} : { edge }) }
    const own = { ...place, ...above, host: call.host, pid: call.pid }
    const [host, pid] = parent === undefined ? ['client', 1] : [parent.host, parent.pid]
    const asked = { ...place, ...above, host, pid }
    const ending = call.status === 'ok' ? {} : { status: call.status, ...(error && { error }) }
    const inside = call.status === 'timeout' ? {} : ending
    const seq = parent === undefined ? {} : { seq: parent.calls.indexOf(call) }
    const attempt = call.attempt > 1 ? { attempt: call.attempt } : {}
    const caller: Entry[] = [
      {
        kind: 'rpc-request',
        timeMs: this.#onClock(host, call.request),
        ...asked,
        ...seq,
        ...attempt,
      },
      { kind: 'rpc-finish', timeMs: this.#onClock(host, call.finish!), ...asked, ...ending },
    ]
    if (edge === 'down') return { caller, callee: [] }
    const callee: Entry[] = [
      { kind: 'rpc-receive', timeMs: this.#onClock(call.host, call.receive), ...own, ...attempt },
      { kind: 'rpc-start', timeMs: this.#onClock(call.host, call.start), ...own },
    ]
    if (call.respond !== undefined) {
      const made = { calls: callsMade(call), ...inside, ...(call.late && { late: true }) }
      callee.push({
        kind: 'rpc-respond',
        timeMs: this.#onClock(call.host, call.respond),
        ...own,
        ...made,
      })
    }
    return { caller, callee }
  }

  /** As Clew would have it; in one of 25 traces what a callee sent home is lost. */
  #ownTree(root: TrueCall, culprit: TrueCall): Pick<Planted, 'tree' | 'visible'> {
    const happened = allOf(root).filter(happenedTo)
    const candidates = happened.filter((call) => call !== root && call.edge === 'call')
    const lost = this.#chance(0.04) && candidates.length > 0 ? this.#pick(candidates) : undefined
    const gone = new Set(lost === undefined ? [] : allOf(lost))
    const entries: Entry[] = []
    for (const call of happened) {
      if (call !== lost && gone.has(call)) continue
      const { caller, callee } = this.#sides(call)
      entries.push(...caller)
      if (call !== lost) entries.push(...callee)
    }
    const missing: Missing[] =
      lost === undefined ? [] : [{ parent: lost.id, calls: 0, reason: 'lost' }]
    const tree = callTree({
      ...{ id: 'a1'.repeat(16), entries, folds: [], missing, relays: [] },
      complete: lost === undefined,
    })
    return { tree, visible: !gone.has(culprit) || culprit === lost }
  }

  /** As other systems would have it: no counts, no starts, a name for each side, and records that are lost. */
  #foreignTree(root: TrueCall, culprit: TrueCall): Pick<Planted, 'tree' | 'visible'> {
    const entries: Entry[] = []
    let visible = false
    for (const call of allOf(root).filter(happenedTo)) {
      const { caller, callee } = this.#sides(call)
      const [keepsCaller, keepsCallee] = [
        !this.#chance(0.03),
        callee.length > 2 && !this.#chance(0.03),
      ]
      const from = { service: call.parent?.service ?? 'client', method: `call ${call.method}` }
      const plain = ({ seq: _, calls: __, late: ___, ...entry }: Entry): Entry => entry
      // Without the caller's record its id is a parent that nobody knows, and so is the callee's.
      const asked = callee.length > 0 && !keepsCallee ? { id: `${call.id}c` } : {}
      const orphan = keepsCaller || call === root ? {} : { parent: `${call.id}c` }
      if (keepsCaller && call !== root) {
        const [request, finish] = caller as [Entry, Entry]
        entries.push({ ...plain(request), from, ...asked }, { ...plain(finish), ...asked })
      }
      if (keepsCallee) {
        for (const entry of callee)
          if (entry.kind !== 'rpc-start') entries.push({ ...plain(entry), ...orphan })
      }
      if (call === culprit) visible = keepsCaller || keepsCallee
    }
    const about = {
      id: 'a1'.repeat(16),
      folds: [],
      missing: [],
      relays: [],
      complete: true,
    } as const
    return { tree: callTree({ ...about, entries, source: 'otlp' }), visible }
  }
}

export function allOf(root: TrueCall): TrueCall[] {
  const found = [root]
  for (const call of found) found.push(...call.calls)
  return found
}

/** False for what was not asked any more, because something before it failed. */
function happenedTo(call: TrueCall): boolean {
  for (let at = call; at.parent !== undefined; at = at.parent) {
    const { steps, fails, status } = at.parent
    const mine = steps.findIndex((step) => typeof step !== 'number' && step.includes(at))
    if (fails === 'crash') return true
    if (status !== 'error') continue
    for (const step of steps.slice(0, mine)) {
      const ended =
        typeof step === 'number'
          ? undefined
          : step.find((each) => each.status !== 'ok' && !each.optional)
      if (ended !== undefined) return false
    }
  }
  return true
}

const callsMade = (call: TrueCall) => call.calls.filter(happenedTo).length
