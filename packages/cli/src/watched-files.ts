import { existsSync, type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'

/** Folders watched at the most: what lies beyond them is not noticed. */
const MOST_FOLDERS = 2000
/** Milliseconds without a further change before they are told: a save is several events, a checkout many files. */
const SETTLED_MS = 150

const SOURCE = /\.[cm]?[jt]sx?$/u
const SETTINGS = /^(?:package|tsconfig[\w.-]*)\.json$/u

/** Tells of changed source files, `package.json` and `tsconfig.json` below some folders. */
export class WatchedFiles {
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #further: ReadonlySet<string>
  readonly #seen = new Map<string, string>()
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #told: ((files: readonly string[]) => void) | undefined

  /**
   * @param files whose projects are watched: the folder of the nearest `package.json`, else the file's own
   * @param further files that count as well: the configuration
   */
  constructor(files: readonly string[], further: readonly string[]) {
    this.#further = new Set(further.map((file) => resolve(file)))
    for (const file of files) this.#addTree(projectOf(dirname(resolve(file))))
    for (const file of this.#further) this.#add(dirname(file))
  }

  /** How many folders there are. */
  get folders(): number {
    return this.#watchers.size
  }

  /** Resolves with what has changed since the last time, relative to the working directory. */
  async next(): Promise<readonly string[]> {
    const told = Promise.withResolvers<readonly string[]>()
    this.#told = told.resolve
    if (this.#timer === undefined) this.#tell()
    return told.promise
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #addTree(folder: string): void {
    if (this.#watchers.has(folder) || this.#watchers.size >= MOST_FOLDERS) return
    this.#add(folder)
    let entries: ReturnType<typeof list>
    try {
      entries = list(folder)
    } catch {
      // Gone, or not ours to read.
      return
    }
    for (const entry of entries) {
      if (entry.isDirectory() && isOurs(entry.name)) this.#addTree(join(folder, entry.name))
    }
  }

  #add(folder: string): void {
    if (this.#watchers.has(folder)) return
    try {
      const watcher = watch(folder, (_, name) => this.#look(folder, name))
      watcher.on('error', () => this.#forget(folder))
      this.#watchers.set(folder, watcher)
    } catch {
      // Gone again, or the system allows no more: the others are still watched.
    }
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #look(folder: string, name: string | null): void {
    if (name === null) return
    const path = join(folder, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats?.isDirectory()) {
      if (isOurs(name)) this.#addTree(path)
      return
    }
    if (!SOURCE.test(name) && !SETTINGS.test(name) && !this.#further.has(path)) return
    // A change of permissions, and the second event of one save, are none.
    const state = stats === undefined ? 'gone' : `${stats.ino} ${stats.mtimeMs} ${stats.size}`
    if (this.#seen.get(path) === state) return
    this.#seen.set(path, state)
    this.#changed.add(path)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#tell()
    }, SETTLED_MS)
  }

  #tell(): void {
    if (this.#changed.size === 0 || this.#told === undefined) return
    const files = [...this.#changed].map((path) => relative('.', path))
    this.#changed.clear()
    const told = this.#told
    this.#told = undefined
    told(files)
  }
}

function list(folder: string) {
  return readdirSync(folder, { withFileTypes: true })
}

function isOurs(folder: string): boolean {
  return folder !== 'node_modules' && !folder.startsWith('.')
}

/** Never a whole disk, nor a home. */
function projectOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (at === dirname(at) || at === homedir()) return folder
    if (existsSync(join(at, 'package.json'))) return basename(at) === 'node_modules' ? folder : at
  }
}
