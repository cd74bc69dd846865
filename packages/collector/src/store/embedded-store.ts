import { type ChdbOptions, chdbEngine } from './clickhouse/chdb-engine.ts'
import { ClickHouseStore, type ClickHouseStoreOptions } from './clickhouse/clickhouse-store.ts'
import type { SqlEngine } from './clickhouse/sql-engine.ts'
import { DiskRoom } from './embedded/disk-room.ts'
import { MendingEngine } from './embedded/mending-engine.ts'
import { copyMetadata, restoreMetadata } from './embedded/metadata-copy.ts'
import { SettlingNote } from './embedded/settling-note.ts'
import { claimFolder, ownerOf, type StoreFolder } from './embedded/store-folder.ts'
import { StoreError } from './store-error.ts'

export interface EmbeddedStoreOptions extends ChdbOptions, Pick<ClickHouseStoreOptions, 'now'> {
  /** Bytes of the disk that are left free: with less, nothing is taken. @default 5 %, at most 512 MiB */
  readonly reserveBytes?: number | undefined
}

/**
 * Keeps traces in a folder, by an engine within this process: nothing else to install or run. One
 * process at a time has the folder. What a crash or a bad disk did to it is mended when it opens, and
 * told by `health()`.
 * @throws StoreError `locked`, `damaged`, `failed`
 */
export async function embeddedStore(
  dir: string,
  options: EmbeddedStoreOptions = {},
): Promise<ClickHouseStore> {
  const folder = await claimFolder(dir)
  try {
    const damage = [...folder.damage]
    const engine = new MendingEngine(await openEngine(folder, options, damage), folder.path)
    const room = new DiskRoom(folder.path, options.reserveBytes)
    const store = new ClickHouseStore(engine, {
      now: options.now,
      note: new SettlingNote(folder.path),
      room: () => room.check(),
      health: () => {
        const { reason } = room
        const all = [...damage, ...engine.damage]
        return { writable: reason === undefined, reason, damage: all, room: room.now() }
      },
      onClose: () => folder.release(),
    })
    try {
      await store.open({ unclean: folder.unclean })
      await engine.look()
      // On a full disk the copy of the time before does.
      await copyMetadata(folder).catch(() => {})
      return store
    } catch (error) {
      await engine.close()
      throw error
    }
  } catch (error) {
    folder.release()
    throw error
  }
}

async function openEngine(
  folder: StoreFolder,
  options: ChdbOptions,
  damage: string[],
): Promise<SqlEngine> {
  // Before anything is changed, and before the engine complains by itself.
  const other = await ownerOf(folder, { certain: true })
  if (other !== undefined) throw lockedBy(folder, other)
  damage.push(...(await restoreMetadata(folder, 'gone')))
  try {
    return await chdbEngine(folder.path, options)
  } catch (error) {
    const owner = await ownerOf(folder)
    if (owner !== undefined) throw lockedBy(folder, owner)
    damage.push(...(await restoreMetadata(folder, 'changed')))
    try {
      return await chdbEngine(folder.path, options)
    } catch {
      throw error instanceof StoreError && error.code !== 'failed' ? error : broken(folder, error)
    }
  }
}

const lockedBy = ({ path }: StoreFolder, owner: number) =>
  new StoreError(
    'locked',
    `the store in ${path} is open in process ${owner}: ask that collector, or stop it first (kill ${owner}); one process at a time has a store`,
  )

const broken = ({ path }: StoreFolder, cause: unknown) =>
  new StoreError(
    'damaged',
    `the store in ${path} cannot be opened (what the engine says of it is above): move the folder away to begin a new one; nothing in it was changed`,
    { cause },
  )
