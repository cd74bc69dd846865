import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** This folder's sources: Python is not compiled, so it does not lie beside us in `dist`. */
export const SOURCES = fileURLToPath(new URL('../../interop/', import.meta.url))
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** A Python with Nameko installed, or the reason why there is none. */
export type Environment = { readonly python: string } | { readonly missing: string }

interface Interpreter {
  readonly command: string
  readonly version: string
}

/** Those our pinned packages are published for; what is newer is tried when there is nothing else. */
const OLDEST = 8
const NEWEST = 13

const CANDIDATES = [
  ...(process.env.CLEW_PYTHON ? [process.env.CLEW_PYTHON] : []),
  ...['python3', 'python3.12', 'python3.11', 'python3.10', 'python3.13', 'python3.9', 'python3.8'],
  'python',
]

/** The first Python from 3.8 to 3.13 that can make virtual environments. */
async function findPython(): Promise<Interpreter | string> {
  const refused: string[] = []
  for (const command of CANDIDATES) {
    const probe = 'import ensurepip, platform, venv; print(platform.python_version())'
    try {
      const { stdout } = await run(command, ['-c', probe])
      const version = stdout.trim()
      const minor = Number(/^3\.(\d+)\./u.exec(version)?.[1] ?? -1)
      if (minor >= OLDEST && minor <= NEWEST) return { command, version }
      refused.push(`${command} is ${version}`)
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is missing' : 'fails'
      refused.push(`${command} ${reason}`)
    }
  }
  return `needs Python 3.${OLDEST} to 3.${NEWEST} with venv (${refused.join(', ')}); name one in CLEW_PYTHON`
}

interface Locks {
  withLock<T>(root: string, say: (line: string) => void, work: () => Promise<T>): Promise<T>
}

/**
 * A virtual environment with what a requirements file pins, made once: kept under `.cache/` by the
 * file's content and Python's version.
 * @throws Error when the pins themselves cannot be installed: that is ours to mend, not to skip
 */
export async function environmentOf(requirements: string): Promise<Environment> {
  const python = await findPython()
  if (typeof python === 'string') return { missing: python }
  const file = join(SOURCES, requirements)
  const hash = createHash('sha256')
    .update(python.version)
    .update(await readFile(file))
  const stem = requirements.replace(/^requirements-|\.txt$/gu, '')
  const folder = join(ROOT, '.cache', `${stem}-${hash.digest('hex').slice(0, 12)}`)
  const executable = join(folder, 'bin', 'python')
  if (await works(folder, executable)) return { python: executable }
  // The lock of the checkout's own set-up: it knows of holders that died.
  const lock = new URL('../../../scripts/setup/lock.mjs', import.meta.url)
  const { withLock } = (await import(lock.href)) as Locks
  const missing = await withLock(ROOT, talk, async () => {
    if (await works(folder, executable)) return undefined
    talk(`installing ${requirements} for Python ${python.version}`)
    await rm(folder, { recursive: true, force: true })
    await mkdir(join(ROOT, '.cache'), { recursive: true })
    return install(python.command, folder, executable, file)
  })
  return missing === undefined ? { python: executable } : { missing }
}

const IMPORTS = ['-W', 'ignore', '-c', 'import nameko.rpc']

async function works(folder: string, executable: string): Promise<boolean> {
  try {
    await readFile(join(folder, 'ready'))
    await run(executable, IMPORTS)
    return true
  } catch {
    return false
  }
}

const UNREACHABLE =
  /NewConnectionError|ConnectTimeout|ReadTimeout|timed out|Temporary failure|unreachable|ProxyError|SSLError|Connection refused|Connection reset/iu

async function install(
  command: string,
  folder: string,
  executable: string,
  requirements: string,
): Promise<string | undefined> {
  try {
    await run(command, ['-m', 'venv', folder])
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--retries', '1']
    // Everything is pinned, dependencies of dependencies too: nothing is left for pip to choose.
    const pinned = ['--no-deps', '--timeout', '20', '-r', requirements]
    await run(executable, ['-m', 'pip', 'install', ...quiet, ...pinned])
    await run(executable, IMPORTS)
    await writeFile(join(folder, 'ready'), '')
    return undefined
  } catch (error) {
    const text = (error as { stderr?: string }).stderr || String(error)
    await rm(folder, { recursive: true, force: true })
    if (!UNREACHABLE.test(text)) throw new Error(`${requirements} do not work together:\n${text}`)
    return `needs PyPI, which cannot be reached: ${text.trim().split('\n').at(-1)}`
  }
}

function talk(line: string): void {
  process.stderr.write(`interop: ${line}\n`)
}
