/** What became of a batch that was sent. */
export type Outcome =
  /** It is safe: on disk, or where it comes from there. Calls of it that were refused for good are no part of `stored`. */
  | { readonly kind: 'taken'; readonly stored?: number | undefined }
  /** Send it again: nobody was there, or has room. */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs?: number | undefined }
  /** It will never be taken. */
  | { readonly kind: 'refused'; readonly why: string; readonly tooLarge?: boolean | undefined }

/** How batches go to where they are kept. */
export interface Road {
  /** Where to, for people. */
  readonly name: string
  /** Never rejects, and settles soon after `timeoutMs` at the latest. */
  send(batch: Uint8Array, timeoutMs: number): Promise<Outcome>
  /** Lets go of connections. */
  close(): void
}
