import { access, constants, mkdir, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { StoreError } from '../store-error.ts'
import { writeWhole } from './whole-file.ts'

/** Of the folder's layout; a later one is refused. */
const FORMAT = 1

/** A folder that this process may open an engine in. */
export interface StoreFolder {
  readonly path: string
  /** The engine's own. */
  readonly tables: string
  /** Whoever had it last did not let go of it: it was killed, or the power went. */
  readonly unclean: boolean
  /** What was found wrong with it, for people. */
  readonly damage: readonly string[]
  release(): void
}

/** Two engines of one process would share a folder without a word. */
const open = new Set<string>()

/**
 * Makes a folder for a store, or finds one. Another process that has it is met later, by the engine's own
 * lock, which goes with its process: see {@link ownerOf}.
 * @throws StoreError `locked`, `failed`
 */
export async function claimFolder(dir: string): Promise<StoreFolder> {
  const path = await made(dir)
  if (open.has(path)) throw new StoreError('locked', `this process has the store in ${path} open`)
  open.add(path)
  try {
    const damage = await checkVersion(path)
    const tables = join(path, 'tables')
    await mkdir(tables, { recursive: true, mode: 0o700 })
    const unclean = (await statusOf(tables)) !== undefined
    return { path, tables, unclean, damage, release: () => open.delete(path) }
  } catch (error) {
    open.delete(path)
    throw unusable(dir, error)
  }
}

/**
 * The process that has the engine's lock, where one has it.
 * @param certain only where that can be seen, as on Linux; else a process that may have it, too
 */
export async function ownerOf(
  { tables }: StoreFolder,
  { certain = false }: { readonly certain?: boolean } = {},
): Promise<number | undefined> {
  const pid = await statusOf(tables)
  if (pid === undefined || pid === process.pid) return undefined
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined
  }
  // The number of a process that is gone may be another's by now.
  return ((await hasOpen(pid, join(tables, STATUS))) ?? !certain) ? pid : undefined
}

const STATUS = 'status'

/** The process that the engine says has it; it is there after a crash as well. */
async function statusOf(tables: string): Promise<number | undefined> {
  try {
    const text = await readFile(join(tables, STATUS), 'latin1')
    return Number(/^PID: (\d+)/u.exec(text)?.[1] ?? 0)
  } catch {
    return undefined
  }
}

/** Undefined where that cannot be seen. */
async function hasOpen(pid: number, file: string): Promise<boolean | undefined> {
  try {
    const files = `/proc/${pid}/fd`
    for (const name of await readdir(files)) {
      const link = await readlink(join(files, name)).catch(() => '')
      if (link === file) return true
    }
    return false
  } catch {
    return undefined
  }
}

async function made(dir: string): Promise<string> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
    return await realpath(dir)
  } catch (error) {
    throw unusable(resolve(dir), error)
  }
}

async function checkVersion(path: string): Promise<readonly string[]> {
  const file = join(path, 'VERSION')
  const entries = await readdir(path)
  const text = entries.includes('VERSION') ? await readFile(file, 'utf8') : undefined
  const format = Number(/^clew-store (\d+)\n$/u.exec(text ?? '')?.[1] ?? Number.NaN)
  if (format === FORMAT) return []
  if (format > FORMAT) {
    throw new StoreError(
      'failed',
      `the store in ${path} was made by a later version of Clew (its format is ${format}, this program knows ${FORMAT}): update this program`,
    )
  }
  const known = entries.includes('tables')
  if (!known && entries.some((name) => name !== 'lost+found')) {
    throw new StoreError(
      'failed',
      `${path} is not empty, and holds no store: give a folder that is empty, or none yet`,
    )
  }
  await writeWhole(file, `clew-store ${FORMAT}\n`)
  return known ? ['VERSION could not be read, and was written again'] : []
}

function unusable(dir: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'ENOSPC') return new StoreError('full', `no room in ${dir}`, { cause: error })
  const why = code === 'EROFS' || code === 'EACCES' ? 'this process may not write in' : 'cannot use'
  return new StoreError('failed', `${why} ${dir}: ${message}`, { cause: error })
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code
