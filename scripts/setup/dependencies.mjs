import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { output } from '../processes.mjs'
import { SetupError } from './error.mjs'

const INSTALL_TIMEOUT_MS = 15 * 60_000
const DEPENDENCY_FIELDS = [
  'name',
  'version',
  'bin',
  'workspaces',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
]

/**
 * Installs what package-lock.json says, unless it is there already.
 * @returns {Promise<string>} path of the Node to run with
 */
export async function installDependencies(root, say) {
  const stampFile = path.join(root, 'node_modules', '.clew-setup.json')
  const fingerprint = await fingerprintOf(root)
  const stamp = await readJson(stampFile)
  if (stamp?.fingerprint === fingerprint && existsSync(stamp.node)) return stamp.node

  if (!(await isInstalled(root))) await cleanInstall(root, say)
  const node = await pinnedNode(root, say)
  await writeFile(stampFile, `${JSON.stringify({ fingerprint, node })}\n`)
  return node
}

async function fingerprintOf(root) {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([process.platform, process.arch]))
  hash.update(await readFile(path.join(root, 'package-lock.json')))
  for (const file of await manifests(root)) {
    const manifest = await readJson(path.join(root, file))
    const fields = DEPENDENCY_FIELDS.map((field) => manifest?.[field])
    hash.update(JSON.stringify([file, fields]))
  }
  return hash.digest('hex')
}

async function manifests(root) {
  const { workspaces } = await readJson(path.join(root, 'package.json'))
  const folders = await Promise.all(
    workspaces.map(async (workspace) => {
      if (!workspace.endsWith('/*')) return [workspace]
      const parent = workspace.slice(0, -2)
      return (await readdir(path.join(root, parent))).sort().map((name) => `${parent}/${name}`)
    }),
  )
  return ['', ...folders.flat()]
    .map((folder) => path.join(folder, 'package.json'))
    .filter((file) => existsSync(path.join(root, file)))
}

/**
 * Compares the lock with npm's own record of what it put into node_modules: somebody may have run
 * `npm install` by hand, and then a clean install would only cost time.
 */
async function isInstalled(root) {
  const lock = await readJson(path.join(root, 'package-lock.json'))
  const record = await readJson(path.join(root, 'node_modules', '.package-lock.json'))
  if (lock === undefined || record === undefined) return false
  return Object.entries(lock.packages).every(([folder, wanted]) => {
    if (!folder.startsWith('node_modules/') || wanted.link) {
      return folder === '' || existsSync(path.join(root, folder))
    }
    const found = record.packages[folder]
    if (found === undefined) return wanted.optional === true || wanted.peer === true
    return found.version === wanted.version && existsSync(path.join(root, folder))
  })
}

async function cleanInstall(root, say) {
  say('installing dependencies (npm ci)')
  // NODE_ENV=production or an `omit` in somebody's configuration must not leave out the compiler.
  const whole = [
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  let { code, text } = await npm(root, ['ci', ...whole])
  if (code !== 0) {
    // A registry that hung up, or the last of an installation that was killed, still writing.
    say('npm ci failed; trying once more')
    ;({ code, text } = await npm(root, ['ci', ...whole]))
  }
  if (code !== 0) {
    throw new SetupError(
      `${text.trimEnd()}\nthe dependencies could not be installed: "npm ci" in ${root} ended with code ${code}, see above`,
    )
  }
}

/** Runs npm in a folder: the one that runs us, where one does. */
export function npm(root, parameters) {
  const cli = process.env.npm_execpath
  const options = { cwd: root, timeoutMs: INSTALL_TIMEOUT_MS }
  return cli !== undefined && path.basename(cli) === 'npm-cli.js'
    ? output(process.execPath, [cli, ...parameters], options)
    : output('npm', parameters, options)
}

async function pinnedNode(root, say) {
  const { devDependencies } = await readJson(path.join(root, 'package.json'))
  const version = devDependencies.node
  const home = path.join(root, 'node_modules', 'node')
  const binary = path.join(home, 'bin', 'node')
  if (!(await isVersion(binary, version))) {
    // Its package fetches the binary from an install script, which many people's npm does not run.
    say(`fetching Node ${version}`)
    const { code, text } = await output(process.execPath, ['installArchSpecificPackage.js'], {
      cwd: home,
      timeoutMs: INSTALL_TIMEOUT_MS,
    })
    if (!(await isVersion(binary, version))) return otherNode(version, code, text, say)
  }
  await linkCommand(root)
  return binary
}

async function isVersion(binary, version) {
  const { stdout } = await output(binary, ['-v'])
  return stdout.trim() === `v${version}`
}

// A Node of the same major version will do where the pinned binary does not run, as on musl.
function otherNode(version, code, text, say) {
  const major = (wanted) => wanted.split('.')[0]
  if (major(process.versions.node) === major(version)) {
    say(`Node ${version} cannot be had here; going on with this one, ${process.version}`)
    return process.execPath
  }
  throw new SetupError(
    `${text.trimEnd()}\nNode ${version}, which this project is run with, could not be fetched (code ${code}), and this one is ${process.version}.\nRun "npm rebuild node --ignore-scripts=false" to see why, or install Node ${major(version)} and try again.`,
  )
}

/** As npm would have done, had the install script run: `node` in node_modules/.bin. */
async function linkCommand(root) {
  const link = path.join(root, 'node_modules', '.bin', 'node')
  if (existsSync(link)) return
  await mkdir(path.dirname(link), { recursive: true })
  await rm(link, { force: true })
  await symlink(path.join('..', 'node', 'bin', 'node'), link)
}

async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
