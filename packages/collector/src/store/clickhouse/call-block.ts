import type { CallSummary, TraceSummary } from '../summary.ts'
import { type Column, NameColumn, numbers, textMaps, wholeNumbers } from './native-block.ts'
import { hourOf, lives, UNKNOWN } from './settlement.ts'

const ID_BYTES = 16

/** Columns of the table of calls: filled row by row in one go, for these are most of all rows. */
export function callColumns(
  summaries: readonly TraceSummary[],
  version: number,
): readonly Column[] {
  let rows = 0
  for (const { calls } of summaries) rows += calls.length
  const block = new CallBlock(rows)
  for (const summary of summaries) block.add(summary)
  return block.columns(version)
}

class CallBlock {
  readonly #rows: number
  #at = 0
  readonly #tenant: NameColumn
  readonly #service: NameColumn
  readonly #method: NameColumn
  readonly #callerService: NameColumn
  readonly #callerMethod: NameColumn
  readonly #edge: NameColumn
  readonly #host: NameColumn
  readonly #version: NameColumn
  readonly #status: NameColumn
  readonly #error: NameColumn
  readonly #ids: Buffer
  readonly #hour: Uint32Array
  readonly #n: Uint32Array
  readonly #inFlight: Uint32Array
  readonly #start: Float64Array
  readonly #total: Float64Array
  readonly #self: Float64Array
  readonly #critical: Float64Array
  readonly #weight: Float64Array
  readonly #origin: Uint8Array
  readonly #straggler: Uint8Array
  readonly #attributes: CallSummary['attributes'][]

  constructor(rows: number) {
    const names = () => new NameColumn(rows)
    this.#rows = rows
    this.#tenant = names()
    this.#service = names()
    this.#method = names()
    this.#callerService = names()
    this.#callerMethod = names()
    this.#edge = names()
    this.#host = names()
    this.#version = names()
    this.#status = names()
    this.#error = names()
    this.#ids = Buffer.alloc(rows * ID_BYTES)
    this.#hour = new Uint32Array(rows)
    this.#n = new Uint32Array(rows)
    this.#inFlight = new Uint32Array(rows)
    this.#start = new Float64Array(rows)
    this.#total = new Float64Array(rows)
    this.#self = new Float64Array(rows)
    this.#critical = new Float64Array(rows)
    this.#weight = new Float64Array(rows)
    this.#origin = new Uint8Array(rows)
    this.#straggler = new Uint8Array(rows)
    this.#attributes = new Array<CallSummary['attributes']>(rows)
  }

  add({ tenant, row, calls }: TraceSummary): void {
    const begin = this.#at
    const end = begin + calls.length
    if (end === begin) return
    this.#ids.write(row.traceId, begin * ID_BYTES, ID_BYTES, 'hex')
    for (let at = begin + 1; at < end; at++) {
      this.#ids.copyWithin(at * ID_BYTES, begin * ID_BYTES, (begin + 1) * ID_BYTES)
    }
    this.#hour.fill(hourOf(row.startUs), begin, end)
    this.#start.fill(row.startUs, begin, end)
    this.#weight.fill(row.weight, begin, end)
    for (let n = 0; n < calls.length; n++) {
      this.#n[begin + n] = n
      this.#tenant.add(tenant)
      this.#addCall(begin + n, calls[n]!)
    }
    this.#at = end
  }

  #addCall(at: number, call: CallSummary): void {
    this.#service.add(call.service)
    this.#method.add(call.method)
    this.#callerService.add(call.callerService)
    this.#callerMethod.add(call.callerMethod)
    this.#edge.add(call.edge)
    this.#host.add(call.host)
    this.#version.add(call.version)
    this.#status.add(call.status)
    this.#error.add(call.error)
    this.#total[at] = call.totalUs ?? UNKNOWN
    this.#self[at] = call.selfUs ?? UNKNOWN
    this.#critical[at] = call.criticalUs
    this.#inFlight[at] = call.inFlight
    this.#origin[at] = call.origin ? 1 : 0
    this.#straggler[at] = call.straggler ? 1 : 0
    this.#attributes[at] = call.attributes
  }

  columns(version: number): readonly Column[] {
    const rows = this.#rows
    const ids = { type: `FixedString(${ID_BYTES})`, rows, prefix: new Uint8Array(0) }
    return [
      this.#tenant.column('tenant'),
      numbers('hour', this.#hour),
      { name: 'trace_id', ...ids, bytes: this.#ids },
      numbers('n', this.#n),
      wholeNumbers('start', 'UInt64', this.#start),
      this.#service.column('service'),
      this.#method.column('method'),
      this.#callerService.column('caller_service'),
      this.#callerMethod.column('caller_method'),
      this.#edge.column('edge'),
      this.#host.column('host'),
      this.#version.column('program_version'),
      wholeNumbers('total', 'Int64', this.#total),
      wholeNumbers('self', 'Int64', this.#self),
      wholeNumbers('critical', 'UInt64', this.#critical),
      this.#status.column('status'),
      this.#error.column('error'),
      numbers('in_flight', this.#inFlight),
      numbers('origin', this.#origin),
      numbers('straggler', this.#straggler),
      textMaps('attributes', this.#attributes),
      numbers('weight', this.#weight),
      ...lives(rows, version),
    ]
  }
}
