import * as format from './format.ts'
import { Skim } from './skim.ts'

/** Of what comes as a piece only a root by itself: the rest belongs to something. */
const ROOT_PIECE = format.PIECE_OWN | format.PIECE_ROOT

const skim = new Skim()

/**
 * True when nothing of a block, or of a piece that is a whole block, can come by another road: it
 * announces no piece, and each of its calls brought its callee's block, or has none. False too where
 * the bytes are damaged or of another version, and an `Assembly` should say what is the matter.
 */
export function isSelfContained(bytes: Uint8Array): boolean {
  const contained = skim.begin(bytes) && looksWhole()
  skim.finish()
  return contained
}

function looksWhole(): boolean {
  if (skim.pieceFlags !== undefined && skim.pieceFlags !== ROOT_PIECE) return false
  for (let kind = skim.next(); kind !== undefined; kind = skim.next()) {
    if (kind === format.ITEM_POINTER) return false
    if (kind !== format.ITEM_CALL || skim.end !== undefined || skim.lost) continue
    if (!skim.isAlone) return false
  }
  return !skim.bad
}
