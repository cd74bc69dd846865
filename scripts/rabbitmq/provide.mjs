// Where a private RabbitMQ can come from on this machine; installs one where that is allowed.
import { SetupError } from '../setup/error.mjs'
import { install } from '../setup/install.mjs'
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
  const refusal = await install(['rabbitmq-server'], say)
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
