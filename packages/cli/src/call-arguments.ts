import { usageFault } from './fault.ts'

/** A method of a service. */
export interface Target {
  readonly service: string
  readonly method: string
}

/** @throws Fault when it is not one name, a dot and another name */
export function parseTarget(name: string): Target {
  const match = /^([^.\s]+)\.([^.\s]+)$/.exec(name)
  if (match === null) {
    throw usageFault(`${JSON.stringify(name)} does not say what to call`, {
      why: 'it takes a service, a dot and a method',
      next: ['clew call greeting_service.hello Ada'],
    })
  }
  return { service: match[1]!, method: match[2]! }
}

/**
 * JSON where it is JSON, else the text as it is.
 * @throws Fault for a whole number that JavaScript would round: a wrong id is worse than none
 */
export function parseArgument(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  if (/^-?\d+$/.test(text.trim()) && !Number.isSafeInteger(value)) {
    throw usageFault(`${text} is too large to be sent exactly`, {
      next: [`'"${text}"'   to send it as a string`],
    })
  }
  return value
}

export function parseKwargs(text: string): Readonly<Record<string, unknown>> {
  const value = parseArgument(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageFault(`${JSON.stringify(text)} is no JSON object`, {
      next: [`--kwargs '{"order_id":17}'`],
    })
  }
  return value as Readonly<Record<string, unknown>>
}
