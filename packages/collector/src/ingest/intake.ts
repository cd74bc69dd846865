import type { BatchAccount } from '../store/accounts.ts'

/** Why calls were not taken: each call that was sent is stored, or rejected for one of these. */
export type RejectReason = 'unreadable' | 'too_large'

/** What became of a batch, in calls. */
export interface IntakeAnswer {
  readonly stored: number
  /** Of those, how many were stored before: the batch had come already. */
  readonly duplicates: number
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>
}

/** What somebody hands over, whatever road it came by. */
export interface Delivery {
  readonly tenant: string
  /** 32 hex digits; the same when it is sent again. */
  readonly id: string
  readonly packets: readonly Uint8Array[]
  readonly account: Omit<BatchAccount, 'stored' | 'rejected'>
  /** Calls that whoever read it could not read. @default 0 */
  readonly unreadable?: number | undefined
}

/** Takes what senders have. */
export interface Intake {
  /**
   * A batch as a sink sends it. Resolves when everything in it that can be kept is durable.
   * @throws ApiError 400 where the whole batch is unreadable, 429 or 503 where it should be sent again later
   */
  take(tenant: string, batch: Uint8Array, road: 'http' | 'broker'): Promise<IntakeAnswer>
  /** The same of what came in another form. @throws ApiError 429, 503 */
  keep(delivery: Delivery): Promise<IntakeAnswer>
}
