import { ValidationError } from './errors.ts'
import { pythonRepr } from './python-text.ts'

/** Reads one value, as marshmallow's field of that type would. */
type Field<T> = (value: unknown) => { readonly value: T } | { readonly problem: unknown }

const wrong = (text: string) => ({ problem: [text] })
const MISSING = 'Missing data for required field.'
const NULL = 'Field may not be null.'
const NO_OBJECT = { _schema: ['Invalid type.'] }

export const text: Field<string> = (value) =>
  typeof value === 'string' ? { value } : wrong('Not a valid string.')

/** What Python's `int()` takes: `"2"` is 2, and 3.7 is 3. */
export const whole: Field<number> = (value) => {
  const number =
    typeof value === 'string' && /^\s*[+-]?\d+(?:_\d+)*\s*$/.test(value)
      ? Number(value.replaceAll('_', ''))
      : value
  if (typeof number === 'boolean') return { value: Number(number) }
  if (typeof number !== 'number') return wrong('Not a valid integer.')
  const cut = Math.trunc(number)
  return Number.isSafeInteger(cut) ? { value: cut === 0 ? 0 : cut } : wrong('Not a valid integer.')
}

/** A decimal number as text, as exact as it came. */
export const decimal: Field<string> = (value) => {
  const given = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : ''
  if (/^[+-]?(?:s?nan\d*|inf(?:inity)?)$/i.test(given)) {
    return wrong('Special numeric values are not permitted.')
  }
  const match = /^([+-]?)0*(\d(?:\d|_(?=\d))*(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?$/.exec(given)
  if (match === null) return wrong('Not a valid number.')
  const [, sign = '', digits = '', exponent] = match
  const plain = digits.replaceAll('_', '').replace(/^\./, '0.').replace(/\.$/, '')
  const power =
    exponent === undefined ? '' : `E${Number(exponent) < 0 ? '' : '+'}${Number(exponent)}`
  return { value: `${sign === '-' ? '-' : ''}${plain}${power}` }
}

type Fields<T> = { readonly [Name in keyof T]: Field<T[Name]> }

/** An object with these fields, all required; others are dropped. */
export function object<T extends object>(fields: Fields<T>): Field<T> {
  return (given) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      return { problem: NO_OBJECT }
    }
    const read: Record<string, unknown> = {}
    const problems: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(fields) as [string, Field<unknown>][]) {
      const value = Object.hasOwn(given, name)
        ? (given as Record<string, unknown>)[name]
        : undefined
      const outcome = required(field, value)
      if ('problem' in outcome) problems[name] = outcome.problem
      else read[name] = outcome.value
    }
    return Object.keys(problems).length > 0 ? { problem: problems } : { value: read as T }
  }
}

function required<T>(field: Field<T>, value: unknown): ReturnType<Field<T>> {
  if (value === undefined) return fieldsOfMissing.get(field) ?? wrong(MISSING)
  return value === null ? wrong(NULL) : field(value)
}

/** A list that is missing is told as one whose first element lacks everything. */
const fieldsOfMissing = new WeakMap<object, { readonly problem: unknown }>()

/** A list; problems stand under the numbers of the elements. */
export function list<T>(element: Field<T>): Field<readonly T[]> {
  const field: Field<readonly T[]> = (given) => {
    if (!Array.isArray(given)) return wrong('Invalid type.')
    const outcomes = given.map(element)
    const problems = new Map<number, unknown>()
    for (const [at, outcome] of outcomes.entries()) {
      if ('problem' in outcome) problems.set(at, outcome.problem)
    }
    if (problems.size > 0) return { problem: problems }
    return { value: outcomes.map((outcome) => (outcome as { readonly value: T }).value) }
  }
  const missing = element({})
  if ('problem' in missing) fieldsOfMissing.set(field, { problem: new Map([[0, missing.problem]]) })
  return field
}

/** @throws ValidationError whose text is Python's of all the problems */
export function validated<T>(field: Field<T>, given: unknown): T {
  const outcome = field(given)
  if ('problem' in outcome) throw new ValidationError(pythonRepr(outcome.problem))
  return outcome.value
}
