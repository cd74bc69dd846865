import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** Of the folders of this suite; what is compiled lies elsewhere. */
const HOME = new URL('../../peers/', import.meta.url)
const ROOT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/u, '')

interface Locks {
  withLock<T>(root: string, say: (line: string) => void, work: () => Promise<T>): Promise<T>
}

interface Installing {
  npm(root: string, parameters: readonly string[]): Promise<{ code: number; text: string }>
}

const script = (path: string): Promise<unknown> =>
  import(new URL(`../../../scripts/setup/${path}`, import.meta.url).href)

/**
 * Installs what the lock of a peer's folder names into that folder, unless it is there: peers' packages
 * are large, and nobody needs them for anything else.
 * @returns why they cannot be had, if so
 */
export async function installPackages(
  folder: string,
  say: (line: string) => void,
): Promise<string | undefined> {
  const home = new URL(`${folder}/`, HOME)
  const { withLock } = (await script('lock.mjs')) as Locks
  return withLock(ROOT, say, async () => {
    const stamp = new URL('node_modules/.clew-bench', home)
    const wanted = await fingerprintOf(home)
    if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return undefined
    say(`installing the packages of bench/peers/${folder}`)
    const { npm } = (await script('dependencies.mjs')) as Installing
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    const brief = ['--prefer-offline', '--fetch-retries=1']
    const { code, text } = await npm(fileURLToPath(home), ['ci', ...quiet, ...brief])
    if (code !== 0) return `npm ci in bench/peers/${folder} failed: ${reasonIn(text)}`
    await writeFile(stamp, wanted)
    return undefined
  })
}

async function fingerprintOf(home: URL): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of ['package.json', 'package-lock.json']) {
    hash.update(await readFile(new URL(file, home)))
  }
  return hash.digest('hex')
}

/** What npm says first; then it explains at length. */
function reasonIn(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^npm error /u, '').trim())
  return lines
    .filter((line) => line !== '')
    .slice(0, 3)
    .join(', ')
}

/** Versions of what a peer's folder pins, by the packages' names. */
export async function pinnedVersions(folder: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(new URL(`${folder}/package.json`, HOME), 'utf8')
  return (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies
}
