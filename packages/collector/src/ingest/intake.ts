/** Why calls were not taken: each call that was sent is stored, or rejected for one of these. */
export type RejectReason = 'unreadable' | 'too_large' | 'too_many_calls' | 'unknown_version'

/** What became of a batch, in calls. */
export interface IntakeAnswer {
  readonly stored: number
  /** Of those, how many were stored before: the batch had come already. */
  readonly duplicates: number
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>
}

/** Takes what senders have, whatever road it came by. */
export interface Intake {
  /**
   * Resolves when everything in it that can be kept is durable.
   * @throws ApiError 400 where the whole batch is unreadable, 429 or 503 where it should be sent again later
   */
  take(tenant: string, batch: Uint8Array): Promise<IntakeAnswer>
}
