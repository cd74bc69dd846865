// Where PostgreSQL and Redis can come from on this machine.
import { accessSync, constants, readdirSync } from 'node:fs'
import path from 'node:path'
import { SetupError } from '../setup/error.mjs'
import { install } from '../setup/install.mjs'

/** Debian keeps PostgreSQL's own programs off the PATH, each version in a folder. */
const DEBIAN = '/usr/lib/postgresql'
const PLACES = ['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin', '/usr/local/pgsql/bin']

const KINDS = {
  postgres: {
    title: 'PostgreSQL',
    packages: ['postgresql'],
    brew: 'postgresql',
    variable: 'CLEW_POSTGRES_URL=postgres://user:password@host:5432/database',
    program: 'postgres',
    beside: ['initdb'],
  },
  redis: {
    title: 'Redis',
    packages: ['redis-server'],
    brew: 'redis',
    variable: 'CLEW_REDIS_URL=redis://host:6379/11',
    program: 'redis-server',
    beside: [],
  },
}

/**
 * The folder of a server's programs; installs it where that is allowed.
 * @param {'postgres' | 'redis'} name
 * @param {(line: string) => void} say
 * @throws SetupError that says exactly what to do
 */
export async function provide(name, say) {
  const kind = KINDS[name]
  const found = find(kind)
  if (found !== undefined) return found
  const refusal = await install(kind.packages, say)
  const installed = find(kind)
  if (installed !== undefined) return installed
  throw new SetupError(
    `the tests and the store on real servers need ${kind.title}, and there is none here: ${refusal}. ${waysOut(name)}`,
  )
}

/** What the user can do when there is no such server to be had. */
export function waysOut(name) {
  const { packages, brew, variable, title } = KINDS[name]
  return `Do one of these and try again:
  - install ${title}: "sudo apt-get install ${packages.join(' ')}" (Debian, Ubuntu), "brew install ${brew}" (macOS);
    it need not run as a service, we start one of our own
  - name one that runs: ${variable}`
}

function find({ program, beside }) {
  const folders = [...debianFolders(), ...(process.env.PATH ?? '').split(path.delimiter), ...PLACES]
  return folders.find((folder) =>
    [program, ...beside].every((file) => folder !== '' && isExecutable(path.join(folder, file))),
  )
}

/** The newest version first. */
function debianFolders() {
  try {
    return readdirSync(DEBIAN)
      .sort((left, right) => Number(right) - Number(left))
      .map((version) => path.join(DEBIAN, version, 'bin'))
  } catch {
    return []
  }
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
