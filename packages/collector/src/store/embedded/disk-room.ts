import { statfs } from 'node:fs/promises'
import { StoreError } from '../store-error.ts'

const MOST_RESERVE = 512 * 1024 ** 2
const SHARE = 0.05

/**
 * Watches that the disk never gets so full that merges, deletions and summaries of what is kept already
 * have no room.
 */
export class DiskRoom {
  readonly #dir: string
  readonly #reserve: number | undefined
  /** Why nothing is taken now, for people. */
  reason: string | undefined

  /** @param reserveBytes @default 5 % of the disk, at most 512 MiB */
  constructor(dir: string, reserveBytes?: number) {
    this.#dir = dir
    this.#reserve = reserveBytes
  }

  /** @throws StoreError `full` while there is less room than the reserve */
  async check(): Promise<void> {
    const { bsize, blocks, bavail } = await statfs(this.#dir)
    const reserve = this.#reserve ?? Math.min(MOST_RESERVE, bsize * blocks * SHARE)
    const free = bsize * bavail
    this.reason =
      free >= reserve
        ? undefined
        : `the disk of ${this.#dir} has ${mib(free)} MiB left, and ${mib(reserve)} MiB are reserved: make room, or keep less`
    if (this.reason !== undefined) throw new StoreError('full', this.reason)
  }
}

const mib = (bytes: number) => Math.round(bytes / 1024 ** 2)
