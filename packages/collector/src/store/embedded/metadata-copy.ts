import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { StoreFolder } from './store-folder.ts'
import { writeWhole } from './whole-file.ts'

/** Files of the engine, by their paths within its folder. */
type Files = ReadonlyMap<string, string>

/**
 * Keeps a copy of the few small files that say which tables there are and where their data lie: without
 * them the engine does not start, or starts with empty tables.
 */
export async function copyMetadata(folder: StoreFolder): Promise<void> {
  const text = JSON.stringify([...(await metadataOf(folder.tables))])
  const whole = `${hashOf(text)}\n${text}\n`
  const path = pathOf(folder)
  if ((await readFile(path, 'utf8').catch(() => '')) !== whole) await writeWhole(path, whole)
}

/**
 * Puts files back from the copy: those that are gone, or those that are not as they were.
 * @returns what was put back, for people
 */
export async function restoreMetadata(
  folder: StoreFolder,
  which: 'gone' | 'changed',
): Promise<readonly string[]> {
  // A folder without tables is a new one, whatever a copy says.
  if ((await readdir(folder.tables)).length === 0) return []
  const restored: string[] = []
  for (const [name, content] of await copyOf(folder)) {
    const path = join(folder.tables, name)
    const there = await readFile(path, 'latin1').catch(() => undefined)
    if (there === content || (there !== undefined && which === 'gone')) continue
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeWhole(path, content)
    restored.push(`${name} was ${there === undefined ? 'gone' : 'damaged'}, and was restored`)
  }
  return restored
}

const pathOf = ({ path }: StoreFolder) => join(path, 'tables.json')
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

/** Nothing where the copy is not there, or damaged itself: the next good start makes it again. */
async function copyOf(folder: StoreFolder): Promise<Files> {
  const whole = await readFile(pathOf(folder), 'utf8').catch(() => '')
  const [hash, text = ''] = whole.split('\n', 2)
  if (hash !== hashOf(text)) return new Map()
  return new Map(JSON.parse(text) as [string, string][])
}

/** Definitions of the databases and tables, and the versions of the tables' folders. */
async function metadataOf(tables: string): Promise<Files> {
  const files = new Map<string, string>()
  const take = async (folder: string) => {
    for (const name of (await namesIn(join(tables, folder))).sort()) {
      if (!name.endsWith('.sql') && name !== 'format_version.txt') continue
      const path = join(folder, name)
      files.set(path, await readFile(join(tables, path), 'latin1'))
    }
  }
  await take('metadata')
  for (const first of (await namesIn(join(tables, 'store'))).sort()) {
    for (const id of (await namesIn(join(tables, 'store', first))).sort()) {
      await take(join('store', first, id))
    }
  }
  return files
}

const namesIn = async (folder: string) => await readdir(folder).catch(() => [])
