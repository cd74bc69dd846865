// Finds a Python that real Nameko runs on, and makes virtual environments for it: for test/interop and
// for `npm run bench:peers`.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { withLock } from './setup/lock.mjs'
import { ROOT } from './setup.mjs'

const run = promisify(execFile)

/** Those our pinned packages are published for; what is newer is tried when there is nothing else. */
const OLDEST = 8
const NEWEST = 13

const CANDIDATES = [
  ...(process.env.CLEW_PYTHON ? [process.env.CLEW_PYTHON] : []),
  ...['python3', 'python3.12', 'python3.11', 'python3.10', 'python3.13', 'python3.9', 'python3.8'],
  'python',
]

/**
 * The first Python from 3.8 to 3.13 that can make virtual environments.
 * @returns {Promise<{ command: string, version: string } | string>} or why there is none
 */
async function findPython() {
  const refused = []
  for (const command of CANDIDATES) {
    const probe = 'import ensurepip, platform, venv; print(platform.python_version())'
    try {
      const { stdout } = await run(command, ['-c', probe])
      const version = stdout.trim()
      const minor = Number(/^3\.(\d+)\./u.exec(version)?.[1] ?? -1)
      if (minor >= OLDEST && minor <= NEWEST) return { command, version }
      refused.push(`${command} is ${version}`)
    } catch (error) {
      refused.push(`${command} ${error.code === 'ENOENT' ? 'is missing' : 'fails'}`)
    }
  }
  return `needs Python 3.${OLDEST} to 3.${NEWEST} with venv (${refused.join(', ')}); name one in CLEW_PYTHON`
}

/**
 * A virtual environment with what a requirements file pins, made once: kept under `.cache/` by the
 * file's content and Python's version.
 * @param {string} requirements path of the file `requirements-….txt`
 * @param {(line: string) => void} say
 * @returns {Promise<{ python: string } | { missing: string }>} the reason where there is none
 * @throws Error when the pins themselves cannot be installed: that is ours to mend, not to skip
 */
export async function environmentOf(requirements, say) {
  const python = await findPython()
  if (typeof python === 'string') return { missing: python }
  const hash = createHash('sha256')
    .update(python.version)
    .update(await readFile(requirements))
  const name = path.basename(requirements)
  const stem = name.replace(/^requirements-|\.txt$/gu, '')
  const folder = path.join(ROOT, '.cache', `${stem}-${hash.digest('hex').slice(0, 12)}`)
  const executable = path.join(folder, 'bin', 'python')
  if (await works(folder, executable)) return { python: executable }
  // The lock of the checkout's own set-up: it knows of holders that died.
  const missing = await withLock(ROOT, say, async () => {
    if (await works(folder, executable)) return undefined
    say(`installing ${name} for Python ${python.version}`)
    await rm(folder, { recursive: true, force: true })
    await mkdir(path.join(ROOT, '.cache'), { recursive: true })
    return install(python.command, folder, executable, requirements)
  })
  return missing === undefined ? { python: executable } : { missing }
}

const IMPORTS = ['-W', 'ignore', '-c', 'import nameko.rpc']

async function works(folder, executable) {
  try {
    await readFile(path.join(folder, 'ready'))
    await run(executable, IMPORTS)
    return true
  } catch {
    return false
  }
}

const UNREACHABLE =
  /NewConnectionError|ConnectTimeout|ReadTimeout|timed out|Temporary failure|unreachable|ProxyError|SSLError|Connection refused|Connection reset/iu

async function install(command, folder, executable, requirements) {
  try {
    await run(command, ['-m', 'venv', folder])
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--retries', '1']
    // Everything is pinned, dependencies of dependencies too: nothing is left for pip to choose.
    const pinned = ['--no-deps', '--timeout', '20', '-r', requirements]
    await run(executable, ['-m', 'pip', 'install', ...quiet, ...pinned])
    await run(executable, IMPORTS)
    await writeFile(path.join(folder, 'ready'), '')
    return undefined
  } catch (error) {
    const text = error.stderr || String(error)
    await rm(folder, { recursive: true, force: true })
    if (!UNREACHABLE.test(text)) throw new Error(`${requirements} do not work together:\n${text}`)
    return `needs PyPI, which cannot be reached: ${text.trim().split('\n').at(-1)}`
  }
}
