#!/usr/bin/env node
// A RabbitMQ for tests and benchmarks.
//
//   node scripts/rabbitmq.mjs -- COMMAND …   runs COMMAND beside a private RabbitMQ
//   node scripts/rabbitmq.mjs                keeps one until Ctrl-C; its address is printed on stdout
//
// COMMAND's environment gets
//   CLEW_AMQP_URL           where the RabbitMQ answers. When it is set already, that RabbitMQ is used.
//   CLEW_RABBITMQ_CONTROL   absent then; else an address on loopback through which the private
//                           RabbitMQ is broken and mended:
//     POST {control}/restart   an orderly stop and a start; answers when the broker does
//     POST {control}/kill      ends it at once; POST {control}/stop in an orderly way
//     POST {control}/start     after kill or stop, on the same port with the same durable data
//     POST {control}/pause     freezes it with its connections open; POST {control}/resume
//     POST {control}/ctl       runs rabbitmqctl; body: its parameters, a JSON array of strings;
//                              answers {code, stdout, stderr}
//     POST {control}/spare     starts another private RabbitMQ and answers {url, control}: for a test
//                              that breaks its broker while other tests use this one
//   Errors are answered with a status from 400 and {error}.
// Nothing of it is left when the command ends, or when it or this script is killed.
import { fileURLToPath } from 'node:url'
import { passThrough, SIGNALS } from './processes.mjs'
import { probe } from './rabbitmq/probe.mjs'
import { provideServer, WAYS_OUT } from './rabbitmq/provide.mjs'
import { exitWith, SetupError } from './setup/error.mjs'
import { startKeeper } from './setup/keeper.mjs'

const KEEPER = fileURLToPath(new URL('./rabbitmq/keeper.mjs', import.meta.url))

/**
 * Uses the RabbitMQ that CLEW_AMQP_URL names, else starts a private one.
 * @param {NodeJS.ProcessEnv} options.environment
 * @param {(line: string) => void} options.say talk for people; by default on stderr
 * @returns `url`; `control`, undefined when the broker is not ours; `variables` for the environment
 *   of whatever is to use it; `restart()`, `kill()`, `start()`, which reject when it is not ours;
 *   `stop()`, after which nothing of ours is left
 * @throws Error that says what to do
 */
export async function startRabbitmq({ environment = process.env, say = talk } = {}) {
  const given = environment.CLEW_AMQP_URL
  if (given !== undefined && given !== '') return useGiven(given)

  const server = await provideServer(say)
  const { started, stop } = await startKeeper(KEEPER, server, 'the keeper of RabbitMQ')
  if (started.error !== undefined) throw new SetupError(`${started.error}\n${WAYS_OUT}`)
  const { url, control } = started
  const post = async (action) => {
    const response = await fetch(`${control}/${action}`, { method: 'POST' })
    if (!response.ok) throw new Error((await response.json()).error)
  }
  return {
    url,
    control,
    variables: { CLEW_AMQP_URL: url, CLEW_RABBITMQ_CONTROL: control },
    restart: () => post('restart'),
    kill: () => post('kill'),
    start: () => post('start'),
    stop,
  }
}

async function useGiven(url) {
  try {
    await probe(url)
  } catch (error) {
    throw new SetupError(
      `no RabbitMQ can be used at CLEW_AMQP_URL, ${withoutPassword(url)}: ${error.message.replace(/\.+$/, '')}.\nUnset CLEW_AMQP_URL to have a private one started, or make it amqp://user:password@host:5672/vhost of one that runs.`,
    )
  }
  const notOurs = () =>
    Promise.reject(new Error('the RabbitMQ at CLEW_AMQP_URL is not ours to stop'))
  return {
    url,
    control: undefined,
    variables: { CLEW_AMQP_URL: url },
    restart: notOurs,
    kill: notOurs,
    start: notOurs,
    stop: async () => {},
  }
}

function withoutPassword(url) {
  return url.replace(/\/\/[^@/]*@/, '//')
}

function talk(line) {
  process.stderr.write(`rabbitmq: ${line}\n`)
}

async function main(parameters) {
  const [separator, command, ...rest] = parameters
  if (separator !== undefined && (separator !== '--' || command === undefined)) {
    process.stderr.write('usage: node scripts/rabbitmq.mjs [-- COMMAND …]\n')
    return 2
  }
  const rabbitmq = await startRabbitmq()
  try {
    if (command === undefined) return await keepUntilSignal(rabbitmq)
    return await passThrough(command, rest, { env: { ...process.env, ...rabbitmq.variables } })
  } finally {
    await rabbitmq.stop()
  }
}

function keepUntilSignal({ url, control }) {
  talk(`control: ${control ?? 'none, it is not ours'}; Ctrl-C ends it`)
  process.stdout.write(`${url}\n`)
  return new Promise((resolve) => {
    // Pending promises alone do not keep a process alive.
    const timer = setInterval(() => {}, 60_000)
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        clearInterval(timer)
        resolve(0)
      })
    }
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2)).catch(exitWith)
}
