import { ByteReader } from './byte-reader.ts'
import * as format from './format.ts'
import type { Packet } from './packet.ts'
import { Skim } from './skim.ts'

/** From here on a status is a failure: it was refused, failed, timed out or got lost. */
const LEAST_FAILURE = format.statusCode('rejected')

const skim = new Skim()

/** What a packet tells at its surface. */
export interface PacketLook {
  /** It is the beginning of its trace, not something that came late. */
  readonly first: boolean
  /** Some call in it failed, as far as its messages' heads tell. */
  readonly failed: boolean
  /** What was asked for; empty where it is no beginning. */
  readonly service: string
  readonly method: string
  /** How long the root call took; undefined where it has not ended, or is no part of it. */
  readonly tookUs: number | undefined
}

/** A look at a packet that reads nothing but the heads of its messages. */
export function lookAtPacket({ root, pieces, ended }: Packet): PacketLook {
  let failed = false
  let begun: { service: string; method: string; tookUs: number | undefined } | undefined
  if (root !== undefined && root.record.late !== true) {
    const { service, method, requestUs, finishUs, status } = root.record
    failed = format.statusCode(status) >= LEAST_FAILURE
    begun = { service, method, tookUs: finishUs === undefined ? undefined : finishUs - requestUs }
  }
  if (root?.block !== undefined && skim.begin(root.block)) failed ||= worstFails()
  for (const piece of pieces) {
    if (!skim.begin(piece)) continue
    failed ||= worstFails()
    const flags = skim.pieceFlags ?? 0
    const isRoot = (flags & format.PIECE_ROOT) !== 0 && (flags & format.PIECE_OWN) !== 0
    if (isRoot && begun === undefined) begun = { ...namesIn(piece), tookUs: skim.handledUs }
  }
  skim.finish()
  const { service = '', method = '', tookUs } = begun ?? {}
  return {
    first: begun !== undefined || (root === undefined && ended),
    failed,
    service,
    method,
    tookUs,
  }
}

const worstFails = () => skim.status >> 4 >= LEAST_FAILURE

function namesIn(piece: Uint8Array): { readonly service: string; readonly method: string } {
  const reader = new ByteReader(piece, skim.namesAt)
  return { service: reader.text(), method: reader.text() }
}
