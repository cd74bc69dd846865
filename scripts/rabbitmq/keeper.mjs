// Owns the private brokers of one run: starts them, serves the control address, and ends them when
// its standard input closes. That happens when the run is over, however it ended; a run that was
// killed cannot clean up after itself, so somebody else has to.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { DockerBroker } from './docker.mjs'
import { InstalledBroker, startPortMapper } from './installed.mjs'

const ACTIONS = ['start', 'stop', 'restart', 'kill', 'pause', 'resume']
const BODY_LIMIT = 64 * 1024
const START_ATTEMPTS = 3

const source = JSON.parse(process.argv[2])
const directory = await mkdtemp(path.join(os.tmpdir(), 'clew-rabbitmq-'))
const brokers = new Map()
let portMapper
let ending

process.stdin.resume()
process.stdin.once('end', () => end(0))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(1))

const server = createServer((request, response) => {
  answer(request).then(
    (result) => reply(response, 200, result),
    (error) => reply(response, error.status ?? 500, { error: error.message }),
  )
})

try {
  if (source.kind === 'installed') portMapper = await startPortMapper()
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  process.stdout.write(`${JSON.stringify(await addBroker())}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error.message })}\n`)
  await end(1)
}

/** Starts one more broker, for whoever wants to break it without disturbing others. */
async function addBroker() {
  for (let attempt = 1; ; attempt++) {
    const broker = makeBroker(path.join(directory, randomBytes(4).toString('hex')))
    // Known before it runs, so that it ends with us even when we are asked to while it starts.
    const token = randomBytes(16).toString('hex')
    brokers.set(token, { broker, queue: Promise.resolve() })
    try {
      await broker.start()
      const control = `http://127.0.0.1:${server.address().port}/${token}`
      return { url: broker.url, control }
    } catch (error) {
      brokers.delete(token)
      await broker.remove()
      // The port was free when we looked; somebody else may have been quicker.
      if (attempt === START_ATTEMPTS || !/eaddrinuse|already allocated/i.test(error.message)) {
        throw error
      }
    }
  }
}

function makeBroker(itsDirectory) {
  if (source.kind === 'docker') return new DockerBroker()
  const onCrash = (message) => process.stderr.write(`${message}\n`)
  return new InstalledBroker({
    scripts: source.scripts,
    directory: itsDirectory,
    portMapper,
    onCrash,
  })
}

async function answer(request) {
  const [, token = '', action = ''] = (request.url ?? '').split('/')
  const entry = entryFor(token)
  if (entry === undefined) throw failure(404, 'no such broker')
  if (action === '' && request.method === 'GET') return { url: entry.broker.url }
  if (request.method !== 'POST') throw failure(405, 'use POST')
  if (action === 'spare') return addBroker()
  if (action === 'ctl') return entry.broker.ctl(await parameters(request))
  if (!ACTIONS.includes(action))
    throw failure(404, `no such action; there are ${ACTIONS.join(', ')}`)
  // One after the other: a restart that is asked for twice must not start two servers on one port.
  const done = entry.queue.then(() => act(entry.broker, action))
  entry.queue = done.catch(() => {})
  await done
  return { url: entry.broker.url }
}

async function act(broker, action) {
  if (action === 'restart') {
    await broker.stop()
    await broker.start()
  } else {
    await broker[action]()
  }
}

function entryFor(token) {
  for (const [known, entry] of brokers) {
    const [left, right] = [Buffer.from(known), Buffer.from(token)]
    if (left.length === right.length && timingSafeEqual(left, right)) return entry
  }
  return undefined
}

async function parameters(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > BODY_LIMIT) throw failure(413, 'too long')
  }
  let parsed
  try {
    parsed = JSON.parse(text)
  } catch {
    throw failure(400, 'the body is no JSON')
  }
  if (!Array.isArray(parsed) || !parsed.every((item) => typeof item === 'string')) {
    throw failure(400, "the body should be rabbitmqctl's parameters as a JSON array of strings")
  }
  return parsed
}

function failure(status, message) {
  return Object.assign(new Error(message), { status })
}

function reply(response, status, result) {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(`${JSON.stringify(result)}\n`)
}

function end(code) {
  ending ??= (async () => {
    server.close()
    await Promise.allSettled([...brokers.values()].map(({ broker }) => broker.remove()))
    await portMapper?.stop()
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    process.exit(code)
  })()
  return ending
}
