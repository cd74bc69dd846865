// Installs packages of Debian where that is allowed, without leaving their services running.
import { spawn } from 'node:child_process'
import { output } from '../processes.mjs'

// Packages of Debian start their service once installed, unless this file says no; ours is not to
// leave a system service running on somebody's machine. A policy that is there already is left alone.
const script = (packages) => `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get -qq -o DPkg::Lock::Timeout=300 update
apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends ${packages.join(' ')}
`

/** One after the other: the package system has one lock, and our policy one file. */
let last = Promise.resolve()

/**
 * Tries to install packages.
 * @param {readonly string[]} packages
 * @param {(line: string) => void} say
 * @returns {Promise<string>} why what is wanted is still missing, where it is
 */
export function install(packages, say) {
  const done = last.then(() => installNow(packages, say))
  last = done.then(() => {})
  return done
}

async function installNow(packages, say) {
  const apt = await output('apt-get', ['--version'])
  if (apt.code !== 0) return 'this system has no apt-get to install it with'
  const shell = await privilegedShell()
  if (shell === undefined) return 'only root may install it'
  const names = packages.join(', ')
  say(`${names} is not installed; installing it with apt-get (its service is not started)`)
  const code = await new Promise((resolve) => {
    const [command, ...parameters] = [...shell, script(packages)]
    // The package manager's own words, on stderr: stdout belongs to whoever runs us.
    const child = spawn(command, parameters, { stdio: ['ignore', 2, 2] })
    child.once('error', () => resolve(127))
    child.once('close', resolve)
  })
  return code === 0 ? `the package ${names} brought none` : `apt-get ended with code ${code}`
}

async function privilegedShell() {
  if (process.getuid?.() === 0) return ['sh', '-c']
  // On a person's machine we do not use a right that we were not given; CI machines are ours.
  if (process.env.CI === undefined || process.env.CI === 'false') return undefined
  const { code } = await output('sudo', ['-n', 'true'])
  return code === 0 ? ['sudo', '-n', 'sh', '-c'] : undefined
}
