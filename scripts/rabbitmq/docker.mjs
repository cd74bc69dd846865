// A private RabbitMQ in a container, where no rabbitmq-server is installed but a Docker engine answers.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { output } from '../processes.mjs'
import { freePort } from './ports.mjs'
import { probe } from './probe.mjs'

const IMAGE = 'rabbitmq:3.13-alpine'
const BOOT_TIMEOUT_MS = 120_000
const PULL_TIMEOUT_MS = 600_000

/** True when a Docker engine answers; the client alone may be installed without one. */
export async function dockerAnswers() {
  const { code } = await output('docker', ['version', '--format', '{{.Server.Version}}'], {
    timeoutMs: 15_000,
  })
  return code === 0
}

/** One private broker. Its data outlive `stop` and `kill`, not `remove`. */
export class DockerBroker {
  #name = `clew-rabbitmq-${randomBytes(6).toString('hex')}`
  #password = randomBytes(12).toString('hex')
  #port
  #made = false

  get url() {
    // Not guest: RabbitMQ lets that user in from its own loopback only, and we come from outside.
    return `amqp://clew:${this.#password}@127.0.0.1:${this.#port}`
  }

  async start() {
    if (this.#made) {
      await docker(['start', this.#name])
    } else {
      this.#port = await freePort()
      this.#made = true
      const settings = [
        '-e',
        'RABBITMQ_DEFAULT_USER=clew',
        '-e',
        `RABBITMQ_DEFAULT_PASS=${this.#password}`,
      ]
      const published = ['-p', `127.0.0.1:${this.#port}:5672`]
      await docker(
        ['run', '-d', '--name', this.#name, '--hostname', 'clew', ...settings, ...published, IMAGE],
        PULL_TIMEOUT_MS,
      )
    }
    const deadline = Date.now() + BOOT_TIMEOUT_MS
    for (;;) {
      try {
        await probe(this.url)
        return
      } catch (error) {
        if (Date.now() > deadline) {
          const { stdout } = await output('docker', ['logs', '--tail', '25', this.#name])
          throw new Error(`RabbitMQ in Docker did not answer (${error.message}):\n${stdout}`)
        }
      }
      await delay(200)
    }
  }

  async stop() {
    await docker(['stop', '-t', '20', this.#name])
  }

  async kill() {
    await docker(['kill', this.#name])
  }

  async pause() {
    await docker(['pause', this.#name])
  }

  async resume() {
    await docker(['unpause', this.#name])
  }

  ctl(parameters) {
    return output('docker', ['exec', this.#name, 'rabbitmqctl', ...parameters])
  }

  async remove() {
    if (this.#made) await output('docker', ['rm', '-f', '-v', this.#name])
  }
}

async function docker(parameters, timeoutMs) {
  const { code, stderr } = await output('docker', parameters, { timeoutMs })
  if (code !== 0) throw new Error(`docker ${parameters[0]} failed: ${stderr.trim()}`)
}
