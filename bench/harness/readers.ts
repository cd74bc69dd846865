import type { Reader } from './parameters.ts'

const DIGITS = /^\d+$/u
/** Numbers are written in documents with their thousands apart, and may be typed so. */
const GROUPED = /^\d{1,3}(,\d{3})+$/u

/** `3`, `10000` or `10,000`; both ends are allowed. */
export function wholeNumber(least: number, most: number): Reader<number> {
  return (text) => {
    const value = wholeIn(GROUPED.test(text) ? text.replaceAll(',', '') : text)
    if (value >= least && value <= most) return value
    throw new Error(`takes a whole number from ${least} to ${most}, not "${text}"`)
  }
}

/** `1,10,100`: each once, in ascending order. */
export function wholeNumbers(least: number, most: number): Reader<readonly number[]> {
  return (text) => {
    const numbers = text.split(',').map((part) => {
      const value = wholeIn(part)
      if (value >= least && value <= most) return value
      throw new Error(`takes whole numbers from ${least} to ${most}, not "${part}"`)
    })
    return [...new Set(numbers)].sort((a, b) => a - b)
  }
}

/** `0.8`; both ends are allowed. */
export function number(least: number, most: number): Reader<number> {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (value >= least && value <= most) return value
    throw new Error(`takes a number from ${least} to ${most}, not "${text}"`)
  }
}

export function oneOf<const Name extends string>(names: readonly Name[]): Reader<Name> {
  return (text) => {
    const chosen = names.find((name) => name === text)
    if (chosen !== undefined) return chosen
    throw new Error(`takes ${names.join(' or ')}, not "${text}"`)
  }
}

/** `a,c`: each once, in the order of all names. */
export function someOf<const Name extends string>(names: readonly Name[]): Reader<readonly Name[]> {
  return (text) => {
    const wanted = text.split(',')
    const unknown = wanted.find((part) => !names.some((name) => name === part))
    if (unknown === undefined) return names.filter((name) => wanted.includes(name))
    throw new Error(`takes some of ${names.join(', ')}, not "${unknown}"`)
  }
}

export const anyText: Reader<string> = (text) => {
  if (text !== '') return text
  throw new Error('takes a text that is not empty')
}

function wholeIn(text: string): number {
  return DIGITS.test(text) ? Number(text) : Number.NaN
}
