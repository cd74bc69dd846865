import { type Condition, FIELDS, type Filter, type Value } from './filter.ts'
import { matchesPattern } from './pattern.ts'

/** What of a call is compared. Durations are whole microseconds, undefined where not known. */
export interface FilteredCall {
  readonly service: string
  readonly method: string
  readonly callerService: string
  readonly host: string
  readonly version: string
  readonly status: string
  readonly error: string
  readonly edge: string
  readonly totalUs: number | undefined
  readonly selfUs: number | undefined
  readonly inFlight: number
  readonly origin: boolean
  readonly straggler: boolean
  readonly attributes: Readonly<Record<string, string>>
}

/** What of a trace is compared. */
export interface FilteredTrace {
  readonly traceId: string
  readonly service: string
  readonly method: string
  readonly totalUs: number | undefined
  readonly status: string
  readonly calls: number
  readonly services: number
  readonly depth: number
  readonly complete: boolean
  readonly source: string | undefined
}

/** Whether a trace with these calls is what the filter asks for: what every store has to find. */
export function matches(
  filter: Filter,
  trace: FilteredTrace,
  calls: readonly FilteredCall[],
): boolean {
  if (!matchesTrace(filter, trace)) return false
  return !asksForCalls(filter) || calls.some((call) => matchesCall(filter, call))
}

/** Whether there are conditions that one call has to meet. */
export const asksForCalls = ({ conditions }: Filter): boolean =>
  conditions.some(({ field }) => FIELDS[field].of === 'call')

/** Whether the trace meets all conditions that are about traces. */
export const matchesTrace = ({ conditions }: Filter, trace: FilteredTrace): boolean =>
  conditions.every(
    (condition) =>
      FIELDS[condition.field].of === 'call' || meets(condition, traceValue(condition, trace)),
  )

/** Whether the call meets all conditions that are about calls. */
export const matchesCall = ({ conditions }: Filter, call: FilteredCall): boolean =>
  conditions.every((condition) => {
    if (FIELDS[condition.field].of === 'trace') return true
    if (condition.field !== 'name') return meets(condition, callValue(condition, call))
    const named = condition.values.some(
      (value) => isOne(value, call.service) || isOne(value, call.method),
    )
    return named !== condition.negated
  })

/** True when one of the values fits; what is not known fits none, and is what a negation lets through. */
function meets({ values, comparison, negated }: Condition, found: Value | undefined): boolean {
  const fits =
    found !== undefined &&
    values.some((value) =>
      comparison === '=' ? isOne(value, found) : compares(comparison, found, value),
    )
  return fits !== negated
}

function isOne(value: Value, found: Value): boolean {
  return typeof value === 'string' ? matchesPattern(value, String(found)) : value === found
}

/** Texts of attributes are compared where they are numbers. */
function compares(comparison: Condition['comparison'], found: Value, value: Value): boolean {
  const [a, b] = [asNumber(found), asNumber(value)]
  if (a === undefined || b === undefined) return false
  if (comparison === '>') return a > b
  if (comparison === '>=') return a >= b
  return comparison === '<' ? a < b : a <= b
}

function asNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/u.test(value) ? Number(value) : undefined
}

function traceValue({ field, values }: Condition, trace: FilteredTrace): Value | undefined {
  if (field === 'id') {
    // Its first or last digits are enough.
    const [first] = values
    const found = values.some((value) => {
      const digits = String(value).toLowerCase()
      return trace.traceId.startsWith(digits) || trace.traceId.endsWith(digits)
    })
    return found ? first : undefined
  }
  if (field === 'type') return `${trace.service}.${trace.method}`
  if (field === 'total') return trace.totalUs
  if (field === 'failed') return trace.status !== 'ok' && trace.status !== 'pending'
  if (field === 'calls') return trace.calls
  if (field === 'services') return trace.services
  if (field === 'depth') return trace.depth
  if (field === 'complete') return trace.complete
  return trace.source ?? ''
}

const CALL_VALUES = {
  service: ({ service }: FilteredCall) => service,
  method: ({ method }: FilteredCall) => method,
  caller: ({ callerService }: FilteredCall) => callerService,
  host: ({ host }: FilteredCall) => host,
  version: ({ version }: FilteredCall) => version,
  status: ({ status }: FilteredCall) => status,
  error: ({ error }: FilteredCall) => error,
  edge: ({ edge }: FilteredCall) => edge,
  duration: ({ totalUs }: FilteredCall) => totalUs,
  self: ({ selfUs }: FilteredCall) => selfUs,
  'in-flight': ({ inFlight }: FilteredCall) => inFlight,
  origin: ({ origin }: FilteredCall) => origin,
  straggler: ({ straggler }: FilteredCall) => straggler,
}

function callValue({ field, attribute }: Condition, call: FilteredCall): Value | undefined {
  if (field !== 'attribute') return CALL_VALUES[field as keyof typeof CALL_VALUES](call)
  const { attributes } = call
  return Object.hasOwn(attributes, attribute!) ? attributes[attribute!] : undefined
}
