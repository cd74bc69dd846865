import { statfsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { StoreError } from '../store-error.ts'
import type { StoreHealth } from '../trace-store.ts'

const MOST_RESERVE = 512 * 1024 ** 2
const SHARE = 0.05

/**
 * Watches that the disk never gets so full that merges, deletions and summaries of what is kept already
 * have no room.
 */
export class DiskRoom {
  readonly #dir: string
  readonly #reserve: number | undefined
  /** Why nothing is taken now, for people; names no folder, as anybody may read it. */
  reason: string | undefined

  /** @param reserveBytes @default 5 % of the disk, at most 512 MiB */
  constructor(dir: string, reserveBytes?: number) {
    this.#dir = dir
    this.#reserve = reserveBytes
  }

  /** @throws StoreError `full` while there is less room than the reserve */
  async check(): Promise<void> {
    const { freeBytes, reservedBytes } = this.#roomIn(await statfs(this.#dir))
    this.reason =
      freeBytes >= reservedBytes
        ? undefined
        : `the disk of the store has ${mib(freeBytes)} MiB left, and ${mib(reservedBytes)} MiB are reserved: make room, or keep less`
    if (this.reason !== undefined) throw new StoreError('full', this.reason)
  }

  /** What there is now; undefined where the disk does not tell. */
  now(): StoreHealth['room'] {
    try {
      return this.#roomIn(statfsSync(this.#dir))
    } catch {
      return undefined
    }
  }

  #roomIn(disk: { readonly bsize: number; readonly blocks: number; readonly bavail: number }) {
    const { bsize, blocks, bavail } = disk
    const reservedBytes = this.#reserve ?? Math.min(MOST_RESERVE, bsize * blocks * SHARE)
    return { freeBytes: bsize * bavail, reservedBytes }
  }
}

const mib = (bytes: number) => Math.round(bytes / 1024 ** 2)
