// A private RabbitMQ from an installed rabbitmq-server: own ports, own directory, own Erlang cookie
// and own epmd, so that it never meets the machine's RabbitMQ, should it run one.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants, openSync, readFileSync, realpathSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { output } from '../processes.mjs'
import { freePort, isFree } from './ports.mjs'
import { probe } from './probe.mjs'

const BOOT_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 30_000
const PORT_WAITS = 200

// Debian's /usr/sbin/rabbitmq-server changes the user and throws our settings away; the script
// behind it does neither.
const PLACES = [
  '/usr/lib/rabbitmq/bin',
  '/opt/homebrew/opt/rabbitmq/sbin',
  '/usr/local/opt/rabbitmq/sbin',
  '/usr/sbin',
  '/usr/local/sbin',
]

/**
 * The directory of RabbitMQ's own scripts.
 * @returns {string | undefined} undefined when it, or Erlang, is not installed
 */
export function findServer({ searchPath = process.env.PATH ?? '', places = PLACES } = {}) {
  const directories = [...places, ...searchPath.split(path.delimiter)]
  const found = directories.map(serverScript).find((script) => script !== undefined)
  if (found === undefined || findProgram('erl', searchPath) === undefined) return undefined
  return path.dirname(found)
}

function serverScript(directory) {
  const script = executable(directory, 'rabbitmq-server')
  if (script === undefined || path.basename(script) === 'rabbitmq-script-wrapper') return undefined
  // Every version's own script reads the rabbitmq-env beside it; wrappers under its name do not.
  return readFileSync(script, 'utf8').includes('/rabbitmq-env') ? script : undefined
}

function findProgram(name, searchPath) {
  return searchPath
    .split(path.delimiter)
    .map((directory) => executable(directory, name))
    .find((program) => program !== undefined)
}

function executable(directory, name) {
  if (directory === '') return undefined
  try {
    const file = realpathSync(path.join(directory, name))
    accessSync(file, constants.X_OK)
    return file
  } catch {
    return undefined
  }
}

/**
 * Erlang's port mapper as a child of ours. Left alone, Erlang would start it as a daemon that stays
 * behind when the broker is gone.
 */
export async function startPortMapper(environment = process.env) {
  const program = findProgram('epmd', environment.PATH ?? '') ?? (await portMapperOfErlang())
  const port = await freePort()
  const child = spawn(program, ['-port', String(port), '-address', '127.0.0.1'], {
    stdio: 'ignore',
    detached: true,
  })
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve))
  return {
    port,
    stop() {
      child.kill('SIGKILL')
      return ended
    },
  }
}

// Erlang installations that keep epmd off the PATH put it onto the PATH of what they run.
async function portMapperOfErlang() {
  const expression = 'io:format("~s", [os:find_executable("epmd")]), halt().'
  const { stdout } = await output('erl', ['-noshell', '-eval', expression])
  return stdout.trim()
}

/** One private broker. Its data outlive `stop` and `kill`, not `remove`. */
export class InstalledBroker {
  #scripts
  #directory
  #portMapper
  #environment
  #port
  #child
  #ended
  #onCrash

  /** @param options.onCrash told when the broker ends without having been asked to */
  constructor({ scripts, directory, portMapper, onCrash }) {
    this.#scripts = scripts
    this.#directory = directory
    this.#portMapper = portMapper
    this.#onCrash = onCrash
  }

  get url() {
    return `amqp://guest:guest@127.0.0.1:${this.#port}`
  }

  async start() {
    if (this.#child !== undefined) return
    if (this.#environment === undefined) await this.#prepare()
    const console = openSync(path.join(this.#directory, 'console.log'), 'a')
    const child = spawn(path.join(this.#scripts, 'rabbitmq-server'), {
      cwd: this.#directory,
      env: this.#environment,
      stdio: ['ignore', console, console],
      // A process group of its own: the script's Erlang machine can then be killed with it.
      detached: true,
    })
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    })
    void this.#ended.then((how) => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#onCrash(`RabbitMQ ended by itself (${how}):\n${this.#lastWords()}`)
    })
    await this.#answering(child)
  }

  async #prepare() {
    await mkdir(path.join(this.#directory, 'home'), { recursive: true })
    const write = (name, text, mode) =>
      writeFile(path.join(this.#directory, name), text, { mode: mode ?? 0o600 })
    this.#port = await freePort()
    this.#environment = environmentFor({
      directory: this.#directory,
      portMapper: this.#portMapper,
      distributionPort: await freePort(),
      toolPort: await freePort(),
    })
    await write('home/.erlang.cookie', randomBytes(20).toString('hex').toUpperCase(), 0o400)
    await write('plugins', '[].\n')
    await write('environment.conf', '')
    await write(
      'rabbitmq.conf',
      `listeners.tcp.1 = 127.0.0.1:${this.#port}\ndisk_free_limit.absolute = 16MB\n`,
    )
  }

  async #answering(child) {
    const deadline = Date.now() + BOOT_TIMEOUT_MS
    for (;;) {
      if (this.#child !== child) {
        throw new Error(`RabbitMQ ended while it started:\n${this.#lastWords()}`)
      }
      try {
        await probe(this.url)
        return
      } catch (error) {
        if (Date.now() > deadline) {
          await this.kill()
          throw new Error(
            `RabbitMQ did not answer within ${BOOT_TIMEOUT_MS / 1000} s (${error.message}):\n${this.#lastWords()}`,
          )
        }
      }
      await delay(100)
    }
  }

  #lastWords() {
    try {
      const text = readFileSync(path.join(this.#directory, 'console.log'), 'utf8')
      return text.trimEnd().split('\n').slice(-25).join('\n')
    } catch {
      return '(it wrote nothing)'
    }
  }

  /** Stops it as its operator would: connections are closed, what is durable stays. */
  async stop() {
    await this.#end('SIGTERM')
  }

  /** Ends it without a word, as a power cut would. */
  async kill() {
    await this.#end('SIGKILL')
  }

  async #end(signal) {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    signalGroup(child, 'SIGCONT')
    signalGroup(child, signal)
    const timeout = new AbortController()
    await Promise.race([
      this.#ended,
      delay(STOP_TIMEOUT_MS, undefined, { signal: timeout.signal }).catch(() => {}),
    ])
    timeout.abort()
    signalGroup(child, 'SIGKILL')
    await this.#ended
    // The script that we waited for is gone; its Erlang machine may hold the port a moment longer.
    for (let wait = 0; wait < PORT_WAITS && !(await isFree(this.#port)); wait++) await delay(50)
  }

  /** Freezes it: connections stay open, nothing answers. */
  pause() {
    if (this.#child !== undefined) signalGroup(this.#child, 'SIGSTOP')
  }

  resume() {
    if (this.#child !== undefined) signalGroup(this.#child, 'SIGCONT')
  }

  /** Runs rabbitmqctl on it. */
  ctl(parameters) {
    return output(path.join(this.#scripts, 'rabbitmqctl'), parameters, { env: this.#environment })
  }

  /** Ends it and deletes all it had. */
  async remove() {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function environmentFor({ directory, portMapper, distributionPort, toolPort }) {
  // Settings of the machine's own RabbitMQ or Erlang must not leak into ours.
  const inherited = Object.entries(process.env).filter(([key]) => !/^(RABBITMQ_|ERL_)/.test(key))
  return {
    ...Object.fromEntries(inherited),
    HOME: path.join(directory, 'home'),
    ERL_EPMD_PORT: String(portMapper.port),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `clew-${randomBytes(6).toString('hex')}@localhost`,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_CTL_DIST_PORT_MIN: String(toolPort),
    RABBITMQ_CTL_DIST_PORT_MAX: String(toolPort + 20),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_CONF_ENV_FILE: path.join(directory, 'environment.conf'),
    RABBITMQ_CONFIG_FILE: path.join(directory, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: path.join(directory, 'no-more-config'),
    RABBITMQ_ADVANCED_CONFIG_FILE: path.join(directory, 'no-advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(directory, 'plugins'),
    RABBITMQ_MNESIA_BASE: path.join(directory, 'data'),
    RABBITMQ_LOG_BASE: path.join(directory, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: path.join(directory, 'pid'),
  }
}

function signalGroup(child, signal) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
