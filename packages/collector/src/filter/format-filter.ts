import { type Condition, FIELDS, type Filter, type Value } from './filter.ts'

/** The filter as it is written: `parseFilter` reads the same filter from it. */
export function formatFilter({ conditions }: Filter): string {
  return conditions.map(written).join(' ')
}

function written({ field, attribute, negated, comparison, values }: Condition): string {
  const sign = negated ? '-' : ''
  const texts = values.map((value) => valueText(field, value)).join(',')
  if (field === 'name') return `${sign}${texts}`
  const name = attribute === undefined ? field : `@${quotedIfNeeded(attribute)}`
  return `${sign}${name}:${comparison === '=' ? '' : comparison}${texts}`
}

function valueText(field: Condition['field'], value: Value): string {
  if (typeof value === 'number')
    return FIELDS[field].kind === 'duration' ? `${value}us` : plain(value)
  if (typeof value === 'boolean') return String(value)
  return patternText(field, value)
}

const plain = (value: number) => value.toFixed(12).replace(/\.?0+$/u, '')

function patternText(field: Condition['field'], pattern: string): string {
  const bare = field === 'name' ? /^[^\s:,"\\@-][^\s:,"\\]*$/u : /^[^\s,"\\<>=][^\s,"\\]*$/u
  return bare.test(pattern) ? pattern : `"${pattern.replaceAll('"', '\\"')}"`
}

const quotedIfNeeded = (name: string) =>
  /^[^\s:"\\]+$/u.test(name) ? name : `"${name.replace(/["\\]/gu, '\\$&')}"`
