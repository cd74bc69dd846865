import type { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import * as format from './format.ts'
import type { OwnRecord, PauseRecord, ValueRecord } from './records.ts'

/** What few callees have to say of their call: the extension of their own record. */
export type OwnExtension = Pick<
  OwnRecord,
  'edge' | 'attempt' | 'foreign' | 'busy' | 'version' | 'pauses' | 'values'
>

/** The extension is written here first: its length comes before it. */
const scratch = new ByteWriter(512)

/** How finely the share of busy time is told. */
const BUSY_STEPS = 255

/** True when the own record needs its extension. */
export function saysMore(own: OwnExtension): boolean {
  const { edge = 'call', attempt = 1, foreign, busy, version, pauses, values } = own
  if (edge !== 'call' || attempt > 1 || foreign !== undefined) return true
  if (busy !== undefined || version !== undefined) return true
  return (pauses?.length ?? 0) > 0 || (values?.length ?? 0) > 0
}

/** Writes the extension with its length in front. */
export function putMore(out: ByteWriter, own: OwnExtension, receiveUs: number): void {
  const { edge = 'call', attempt = 1, foreign, busy, version, pauses = [], values = [] } = own
  const tries = format.toCount(attempt)
  let flags = Math.max(0, format.EDGES.indexOf(edge))
  if (foreign !== undefined) flags |= format.OWN_MORE_FOREIGN
  if (tries > 1) flags |= format.OWN_MORE_ATTEMPT
  if (busy !== undefined) flags |= format.OWN_MORE_BUSY
  if (version !== undefined) flags |= format.OWN_MORE_VERSION
  if (pauses.length > 0) flags |= format.OWN_MORE_PAUSES
  if (values.length > 0) flags |= format.OWN_MORE_VALUES
  scratch.at = 0
  scratch.byte(flags)
  if (foreign !== undefined) {
    scratch.id(foreign.trace, 16)
    scratch.id(foreign.parent, 8)
  }
  if (tries > 1) scratch.varint(tries)
  if (busy !== undefined) scratch.byte(Math.round(Math.min(1, Math.max(0, busy || 0)) * BUSY_STEPS))
  if (version !== undefined) scratch.text(version)
  if (pauses.length > 0) putPauses(pauses, receiveUs)
  if (values.length > 0) putValues(values)
  out.varint(scratch.at)
  out.bytes(scratch.buffer, 0, scratch.at)
}

function putPauses(pauses: readonly PauseRecord[], receiveUs: number): void {
  const count = Math.min(pauses.length, format.MOST_PAUSES)
  scratch.varint(count)
  for (let index = 0; index < count; index++) {
    const { kind, fromUs, us } = pauses[index]!
    scratch.byte(Math.max(0, format.PAUSES.indexOf(kind)))
    scratch.zigzag(format.toStamp(fromUs) - receiveUs)
    scratch.varint(format.toStamp(us))
  }
}

/** By code; readers pass over values of codes that they do not know. */
const VALUES_OF: readonly ValueRecord['of'][] = ['args', 'result']

function putValues(values: readonly ValueRecord[]): void {
  const count = Math.min(values.length, format.MOST_VALUES)
  scratch.varint(count)
  for (let index = 0; index < count; index++) {
    const { of, name, text } = values[index]!
    scratch.byte(Math.max(0, VALUES_OF.indexOf(of)))
    scratch.text(name)
    scratch.text(text)
  }
}

/** Later versions may say more: what follows the known fields is skipped. */
export function readMore(reader: ByteReader, receiveUs: number): OwnExtension {
  const length = reader.varint()
  const start = reader.skip(length)
  const end = reader.at
  if (reader.bad || length === 0) return {}
  const outer = reader.end
  reader.at = start
  reader.end = end
  const flags = reader.byte()
  const has = (flag: number) => (flags & flag) !== 0
  const foreign = has(format.OWN_MORE_FOREIGN)
    ? { trace: reader.id(16), parent: reader.id(8) }
    : undefined
  const attempt = has(format.OWN_MORE_ATTEMPT) ? format.toCount(reader.varint()) : 1
  const busy = has(format.OWN_MORE_BUSY) ? reader.byte() / BUSY_STEPS : undefined
  const version = has(format.OWN_MORE_VERSION) ? reader.text() : undefined
  const pauses = has(format.OWN_MORE_PAUSES) ? readPauses(reader, receiveUs) : undefined
  const values = has(format.OWN_MORE_VALUES) ? readValues(reader) : undefined
  // An extension that is damaged costs itself only.
  const damaged = reader.bad
  reader.bad = false
  reader.at = end
  reader.end = outer
  if (damaged) return {}
  return { edge: format.EDGES[flags & 3]!, attempt, foreign, busy, version, pauses, values }
}

function readPauses(reader: ByteReader, receiveUs: number): readonly PauseRecord[] {
  const count = reader.varint()
  const pauses: PauseRecord[] = []
  for (let index = 0; index < Math.min(count, format.MOST_PAUSES) && !reader.bad; index++) {
    const kind = format.PAUSES[reader.byte()]
    const fromUs = Math.max(0, receiveUs + reader.zigzag())
    const us = reader.varint()
    if (kind !== undefined) pauses.push({ kind, fromUs, us })
  }
  return pauses
}

function readValues(reader: ByteReader): readonly ValueRecord[] {
  const count = reader.varint()
  const values: ValueRecord[] = []
  for (let index = 0; index < Math.min(count, format.MOST_VALUES) && !reader.bad; index++) {
    const of = VALUES_OF[reader.byte()]
    const name = reader.text()
    const text = reader.text()
    if (of !== undefined) values.push({ of, name, text })
  }
  return values
}
