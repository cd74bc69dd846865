// Where a private RabbitMQ can come from on this machine; installs one where that is allowed.
import { spawn } from 'node:child_process'
import { output } from '../processes.mjs'
import { SetupError } from '../setup/error.mjs'
import { dockerAnswers } from './docker.mjs'
import { findServer } from './installed.mjs'

/** What the user can do when there is no RabbitMQ to be had. */
export const WAYS_OUT = `Do one of these and try again:
  - install RabbitMQ: "sudo apt-get install rabbitmq-server" (Debian, Ubuntu), "brew install rabbitmq" (macOS);
    it need not run as a service, the tests start one of their own
  - start a Docker engine that this user may use: "docker version" must show a server
  - name a RabbitMQ that runs: CLEW_AMQP_URL=amqp://user:password@host:5672/vhost`

/**
 * @param {(line: string) => void} say
 * @returns {Promise<{ kind: 'installed', scripts: string } | { kind: 'docker' }>}
 * @throws Error that says exactly what to do
 */
export async function provideServer(say) {
  const scripts = findServer()
  if (scripts !== undefined) return { kind: 'installed', scripts }
  const refusal = await installServer(say)
  const installed = findServer()
  if (installed !== undefined) return { kind: 'installed', scripts: installed }
  if (await dockerAnswers()) {
    say('rabbitmq-server is not installed; using Docker (the first time it fetches the image)')
    return { kind: 'docker' }
  }
  throw new SetupError(
    `the tests need a RabbitMQ, and there is none here: rabbitmq-server is not installed, ${refusal}, and no Docker engine answers.\n${WAYS_OUT}`,
  )
}

// Packages of Debian start their service once installed, unless this file says no; ours is not to
// leave a system service running on somebody's machine. A policy that is there already is left alone.
export const INSTALL_SCRIPT = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get -qq -o DPkg::Lock::Timeout=300 update
apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends rabbitmq-server
`

/** Tries to install rabbitmq-server; says why it is still missing where it cannot be installed. */
async function installServer(say) {
  const apt = await output('apt-get', ['--version'])
  if (apt.code !== 0) return 'this system has no apt-get to install it with'
  const shell = await privilegedShell()
  if (shell === undefined) return 'only root may install it'
  say('rabbitmq-server is not installed; installing it with apt-get (its service is not started)')
  const code = await new Promise((resolve) => {
    const [command, ...parameters] = [...shell, INSTALL_SCRIPT]
    // The package manager's own words, on stderr: stdout belongs to whoever runs us.
    const child = spawn(command, parameters, { stdio: ['ignore', 2, 2] })
    child.once('error', () => resolve(127))
    child.once('close', resolve)
  })
  return code === 0 ? 'its package brought no rabbitmq-server' : `apt-get ended with code ${code}`
}

async function privilegedShell() {
  if (process.getuid?.() === 0) return ['sh', '-c']
  // On a person's machine we do not use a right that we were not given; CI machines are ours.
  if (process.env.CI === undefined || process.env.CI === 'false') return undefined
  const { code } = await output('sudo', ['-n', 'true'])
  return code === 0 ? ['sudo', '-n', 'sh', '-c'] : undefined
}
