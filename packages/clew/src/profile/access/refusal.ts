/** Why a grant was not believed; for the log and for tools, never for whoever sent it. */
export type RefusalCode =
  | 'too_large'
  | 'malformed'
  | 'unknown_key'
  | 'algorithm'
  | 'signature'
  | 'claims'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet'
  | 'too_long'
  | 'replayed'
  | 'full'

export interface Refusal {
  readonly code: RefusalCode
  /** For people, with what was found; harmless to print. */
  readonly reason: string
}

/** Thrown within the verifier only; becomes the refusal it carries. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(code: RefusalCode, reason: string) {
    super(reason)
    this.refusal = { code, reason }
  }
}

const LONGEST_SHOWN = 80

/** A value from outside, cut and escaped so that it can stand in a line of a log. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  const plain = text.replace(/[^\x20-\x7e]/gu, '?')
  return plain.length <= LONGEST_SHOWN ? plain : `${plain.slice(0, LONGEST_SHOWN)}…`
}
