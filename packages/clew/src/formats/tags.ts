import type { Attributes } from '../trace/index.ts'
import type { Interning } from '../trace/interning.ts'
import { isOwn } from './own-tags.ts'
import { numberOf } from './times.ts'

export type TagValue = string | number | boolean

/** What is told of a record beside its times, by key. */
export type Tags = ReadonlyMap<string, TagValue>

const MOST_ATTRIBUTES = 128
const MAX_NAME = 255
const MAX_VALUE = 1_024
/** Tags read of one record at all. */
const MOST_TAGS = 4_096

/** Said elsewhere in an entry. */
const SAID = new Set(['span.kind', 'internal.span.format'])

export class TagList {
  readonly tags = new Map<string, TagValue>()
  readonly #texts: Interning

  constructor(texts: Interning) {
    this.#texts = texts
  }

  /** Takes what can be written plainly; lists and objects become JSON. */
  put(key: unknown, value: unknown): void {
    if (typeof key !== 'string' || key === '' || this.tags.size >= MOST_TAGS) return
    const plain = typeof value === 'object' && value !== null ? JSON.stringify(value) : value
    const name = this.#texts.of(cut(key, MAX_NAME))
    if (typeof plain === 'string') this.tags.set(name, this.#texts.of(cut(plain, MAX_VALUE)))
    else if (typeof plain === 'boolean') this.tags.set(name, plain)
    else if (typeof plain === 'number' && Number.isFinite(plain)) this.tags.set(name, plain)
  }

  attributes(): Attributes | undefined {
    const kept: [string, TagValue][] = []
    for (const tag of this.tags) {
      if (SAID.has(tag[0]) || isOwn(tag[0])) continue
      if (kept.length === MOST_ATTRIBUTES) break
      kept.push(tag)
    }
    return kept.length === 0 ? undefined : Object.fromEntries(kept)
  }
}

const cut = (text: string, most: number) =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text

/** The first of the keys that has a text, or something that can be written as one. */
export function textTag(tags: Tags, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = tags.get(key)
    if (value !== undefined && value !== '') return String(value)
  }
  return undefined
}

export function numberTag(tags: Tags, keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = numberOf(tags.get(key))
    if (value !== undefined) return value
  }
  return undefined
}

/** A value of JSON as an object whose fields can be looked at; undefined for anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return value as Readonly<Record<string, unknown>>
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
