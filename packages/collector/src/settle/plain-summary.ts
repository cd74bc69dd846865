import type { Layer } from 'clew/trace'
import { type CallColumns, type Packet, readPacket } from 'clew/trace/blocks'
import type { CallSummary, PartSummary, TraceRow, TraceSummary } from '../store/summary.ts'

/** Calls below which siblings of one method tell nothing of each other, as `stragglers` has it. */
const LEAST_SIBLINGS = 4
/** Share of its caller's time by which calls may overlap and still follow each other (`criticalPath`). */
const OVERLAP = 0.01
const LONGEST_TEXT = 256

const WORK = 0
const WAIT = 1
const START = 2

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/**
 * Summaries of plain traces, straight from their bytes: no entry, no tree. Tells exactly what
 * `summarise` tells by way of the tree, to the microsecond, or says that it cannot.
 */
export class PlainSummaries {
  readonly #columns: CallColumns
  #first = new Int32Array(1_024)
  #next = new Int32Array(1_024)
  #self = new Float64Array(1_024)
  /** Critical time of a call by itself; -1 where the answer did not wait for it. */
  #critical = new Float64Array(1_024)
  readonly #children: number[] = []
  /** Milliseconds by service, method and what for. */
  readonly #places = new Map<number, number>()
  readonly #parts = new Map<number, number>()
  readonly #bounds = new Map<number, [from: number, to: number]>()

  constructor(columns: CallColumns) {
    this.#columns = columns
  }

  /** The summary of a trace that is one packet; undefined where it has to be read by way of its tree. */
  of(tenant: string, bytes: Uint8Array): TraceSummary | undefined {
    const packet = readPacket(bytes)
    if (packet?.root === undefined || !packet.ended || packet.lines !== undefined) return undefined
    if (packet.pieces.length > 0) return undefined
    const columns = this.#columns
    columns.clear()
    if (!columns.read(packet.root) || !this.#reckon()) return undefined
    return this.#told(tenant, packet)
  }

  /** Own and critical times of all calls; false where only a tree tells them. */
  #reckon(): boolean {
    const { length, parent } = this.#columns
    if (length > this.#first.length) this.#grow(length)
    this.#first.fill(-1, 0, length)
    this.#critical.fill(-1, 0, length)
    for (let call = length - 1; call > 0; call--) {
      const above = parent[call]!
      this.#next[call] = this.#first[above]!
      this.#first[above] = call
    }
    const { requestUs, finishUs } = this.#columns
    this.#critical[0] = finishUs[0]! - requestUs[0]!
    if (!(this.#critical[0] > 0)) return false
    if (!this.#clocksAgree()) return false
    // Callers come first, so that whether the answer waited for a call is known before its own calls.
    for (let call = 0; call < length; call++) if (!this.#reckonCall(call)) return false
    return true
  }

  /**
   * Whether what calls between two hosts prove of their clocks can all be true: a callee began after it
   * was asked, and answered before its answer came. Where it cannot, only the tree knows what to make of it.
   */
  #clocksAgree(): boolean {
    const { length, parent, host, requestUs, receiveUs, respondUs, finishUs } = this.#columns
    const bounds = this.#bounds
    bounds.clear()
    for (let call = 1; call < length; call++) {
      const [asks, answers] = [host[parent[call]!]!, host[call]!]
      const least = respondUs[call]! - finishUs[call]!
      const most = receiveUs[call]! - requestUs[call]!
      if (asks === answers) {
        if (least > 0 || most < 0) return false
        continue
      }
      // By how much the clock of the host with the greater number is ahead.
      const turned = asks > answers
      const key = turned ? answers * 65_536 + asks : asks * 65_536 + answers
      const [from, to] = turned ? [-most, -least] : [least, most]
      const known = bounds.get(key)
      if (known === undefined) bounds.set(key, [from, to])
      else {
        known[0] = Math.max(known[0], from)
        known[1] = Math.min(known[1], to)
        if (known[0] > known[1]) return false
      }
    }
    return true
  }

  #reckonCall(call: number): boolean {
    const { requestUs, receiveUs, startUs, respondUs, finishUs } = this.#columns
    const receive = receiveUs[call]!
    const respond = respondUs[call]!
    const handle = respond - receive
    if (handle > finishUs[call]! - requestUs[call]!) return false
    const begin = startUs[call]! < 0 ? receive : startUs[call]!
    if (begin < receive || begin > respond) return false
    const children = this.#childrenOf(call)
    if (children.length >= LEAST_SIBLINGS && this.#haveSiblings(children)) return false
    const isCritical = this.#critical[call]! >= 0
    let [self, until, later] = [handle, respond, -1]
    let covered = respond
    for (const child of children) {
      const [from, to] = [requestUs[child]!, finishUs[child]!]
      if (from < begin || to > respond || to < from) return false
      // The union, from its end backwards.
      const end = Math.min(to, covered)
      if (from < end) {
        self -= end - from
        covered = from
      }
      if (!isCritical || to === from) continue
      if (to <= until) {
        this.#critical[call]! -= to - from
        this.#critical[child] = to - from
        until = from
        later = child
      } else if (later >= 0 && this.#mayFollow(child, later, handle)) return false
    }
    this.#self[call] = Math.max(0, self)
    return true
  }

  /** Calls of a call, the last to end first; of those that end together, the last to begin. */
  #childrenOf(call: number): readonly number[] {
    const { requestUs, finishUs } = this.#columns
    const children = this.#children
    children.length = 0
    for (let child = this.#first[call]!; child >= 0; child = this.#next[child]!) {
      const [from, to] = [requestUs[child]!, finishUs[child]!]
      let at = children.length
      while (at > 0) {
        const other = children[at - 1]!
        const before = finishUs[other]! - to || requestUs[other]! - from
        if (before >= 0) break
        children[at] = other
        at--
      }
      children[at] = child
    }
    return children
  }

  /** Whether some of them are so alike that one may be a straggler. */
  #haveSiblings(children: readonly number[]): boolean {
    const { method } = this.#columns
    return children.some((child) => {
      let alike = 0
      for (const other of children) if (method[other] === method[child]) alike++
      return alike >= LEAST_SIBLINGS
    })
  }

  #mayFollow(earlier: number, later: number, handle: number): boolean {
    const { requestUs, finishUs } = this.#columns
    if (requestUs[earlier]! >= requestUs[later]! || finishUs[earlier]! >= finishUs[later]!) {
      return false
    }
    return finishUs[earlier]! - requestUs[later]! < OVERLAP * handle
  }

  #told(tenant: string, packet: Packet): TraceSummary {
    const { length, names, parent, service, method, host, version, inFlight } = this.#columns
    const { requestUs, receiveUs, startUs, respondUs, finishUs } = this.#columns
    const { texts } = names
    const [places, parts] = [this.#places, this.#parts]
    places.clear()
    parts.clear()
    const calls = new Array<CallSummary>(length)
    for (let call = 0; call < length; call++) {
      const above = parent[call]!
      const total = finishUs[call]! - requestUs[call]!
      const critical = this.#critical[call]!
      calls[call] = {
        service: textOf(texts[service[call]!]!),
        method: textOf(texts[method[call]!]!),
        callerService: above < 0 ? '' : textOf(texts[service[above]!]!),
        callerMethod: above < 0 ? '' : textOf(texts[method[above]!]!),
        edge: 'call',
        host: textOf(texts[host[call]!]!),
        version: textOf(texts[version[call]!]!),
        totalUs: total,
        selfUs: this.#self[call]!,
        criticalUs: Math.max(0, critical),
        status: 'ok',
        error: '',
        inFlight: inFlight[call]!,
        origin: false,
        straggler: false,
        attributes: NO_ATTRIBUTES,
      }
      if (critical < 0) continue
      const waited = total - (respondUs[call]! - receiveUs[call]!)
      const begun = startUs[call]! < 0 ? 0 : startUs[call]! - receiveUs[call]!
      const place = (service[call]! * 65_536 + method[call]!) * 3
      const work = critical - waited - begun
      if (work > 0) add(places, place + WORK, work)
      if (waited > 0) add(places, place + WAIT, waited)
      if (begun > 0) add(places, place + START, begun)
      if (work > 0) add(parts, service[call]! * 2, work)
      if (waited + begun > 0) add(parts, service[call]! * 2 + 1, waited + begun)
    }
    const row = this.#row(packet, calls)
    const spent: PartSummary[] = []
    for (const [part, us] of parts) {
      spent.push({ service: texts[part >>> 1]!, layer: LAYERS[part & 1]!, us })
    }
    return { tenant, row, packets: 1, calls, parts: spent, replaces: false }
  }

  #row({ traceId, root, weight = 1 }: Packet, calls: readonly CallSummary[]): TraceRow {
    const { service: services, names } = this.#columns
    const { service, method: named, totalUs } = calls[0]!
    let [most, longest] = [-1, 0]
    for (const [place, us] of this.#places) {
      if (us <= longest) continue
      most = place
      longest = us
    }
    const place = Math.floor(most / 3)
    return {
      ...{ traceId, startUs: root!.record.requestUs, totalUs, service, method: named },
      ...{ host: textOf(root!.host), status: 'ok', error: '' },
      ...{ calls: calls.length, missingCalls: 0 },
      services: new Set(services.subarray(0, calls.length)).size,
      depth: this.#depth(),
      ...{ failedService: '', failedMethod: '' },
      bottleneckService: most < 0 ? '' : textOf(names.texts[Math.floor(place / 65_536)]!),
      bottleneckMethod: most < 0 ? '' : textOf(names.texts[place % 65_536]!),
      bottleneckShare: totalUs! > 0 ? Math.min(1, longest / totalUs!) : 0,
      ...{ complete: true, weight, source: undefined },
    }
  }

  #depth(): number {
    const { length, parent } = this.#columns
    // The places of children are free now: what is reckoned takes them.
    const depths = this.#next
    let most = 1
    depths[0] = 1
    for (let call = 1; call < length; call++) {
      depths[call] = depths[parent[call]!]! + 1
      if (depths[call]! > most) most = depths[call]!
    }
    return most
  }

  #grow(length: number): void {
    const size = Math.max(length, this.#first.length * 2)
    this.#first = new Int32Array(size)
    this.#next = new Int32Array(size)
    this.#self = new Float64Array(size)
    this.#critical = new Float64Array(size)
  }
}

const LAYERS: readonly Layer[] = ['self', 'queue']

function add(sums: Map<number, number>, key: number, us: number): void {
  sums.set(key, (sums.get(key) ?? 0) + us)
}

const textOf = (text: string) =>
  text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`
