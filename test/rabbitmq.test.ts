/** The RabbitMQ that tests are given: it can be broken and mended, and nothing of it stays. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { ROOT } from './tidy/repository.ts'

interface Probe {
  probe(url: string, options?: { readonly timeoutMs: number }): Promise<void>
}
interface Rabbitmq {
  readonly url: string
  readonly control: string | undefined
  restart(): Promise<void>
  stop(): Promise<void>
}
interface Start {
  startRabbitmq(options: { readonly environment: NodeJS.ProcessEnv }): Promise<Rabbitmq>
}

function script(name: string) {
  return import(pathToFileURL(path.join(ROOT, 'scripts', name)).href)
}

const { probe }: Probe = await script('rabbitmq/probe.mjs')
const { startRabbitmq }: Start = await script('rabbitmq.mjs')

const control = process.env.CLEW_RABBITMQ_CONTROL
const url = process.env.CLEW_AMQP_URL
const skip = control === undefined ? 'needs a private RabbitMQ, as `npm test` starts one' : false

/** The parts of all answers of the control address. */
interface Answer {
  readonly url: string
  readonly control: string
  readonly code: number
  readonly stdout: string
}

async function post(address: string, body?: unknown) {
  const response = await fetch(address, {
    method: 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Answer }
}

test('a spare broker is killed, frozen and brought back on its address', { skip }, async () => {
  const { body: spare } = await post(`${control}/spare`)
  assert.notEqual(spare.url, url)
  await probe(spare.url)

  await post(`${spare.control}/kill`)
  await assert.rejects(probe(spare.url), /ECONNREFUSED/)
  await probe(url!)
  await post(`${spare.control}/start`)
  await probe(spare.url)

  await post(`${spare.control}/pause`)
  await assert.rejects(probe(spare.url, { timeoutMs: 500 }), /no answer/)
  await post(`${spare.control}/resume`)
  await probe(spare.url)

  const { body: printed } = await post(`${spare.control}/ctl`, ['list_users', '--quiet'])
  assert.equal(printed.code, 0)
  assert.match(printed.stdout, /guest/)
  await post(`${spare.control}/stop`)
  await assert.rejects(probe(spare.url), /ECONNREFUSED/)
})

test('the control address refuses what it does not know', { skip }, async () => {
  const { origin } = new URL(control!)
  assert.equal((await post(`${origin}/0123456789abcdef0123456789abcdef/kill`)).status, 404)
  assert.equal((await post(`${control}/nix`)).status, 404)
  assert.equal((await post(`${control}/ctl`, 'status')).status, 400)
  assert.equal((await fetch(`${control}/kill`)).status, 405)
  await probe(url!)
})

test('a broker that is given is used, and is not ours to stop', { skip }, async () => {
  const given = await startRabbitmq({ environment: { CLEW_AMQP_URL: url } })
  assert.equal(given.url, url)
  assert.equal(given.control, undefined)
  await assert.rejects(given.restart(), /not ours/)
  await given.stop()
  await probe(url!)
})

test('a broker that is given but cannot be used is told with the reason, not the password', {
  skip,
}, async () => {
  const refused = (address: string) => startRabbitmq({ environment: { CLEW_AMQP_URL: address } })
  const wrong = url!.replace('guest:guest', 'guest:secret-word')
  await assert.rejects(refused(wrong), (error: Error) => {
    assert.match(error.message, /403 ACCESS_REFUSED/)
    assert.doesNotMatch(error.message, /secret-word/)
    return true
  })
  await assert.rejects(refused(`${url}/nix`), /530 NOT_ALLOWED/)
  await assert.rejects(refused('amqp://127.0.0.1:1'), /ECONNREFUSED/)
  await assert.rejects(refused('http://127.0.0.1'), /should with amqp/)
})

test('a run that is killed leaves no broker behind', { skip }, async () => {
  const { CLEW_AMQP_URL: _, ...environment } = process.env
  const run = spawn(process.execPath, [path.join(ROOT, 'scripts/rabbitmq.mjs')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [printed] = await once(run.stdout, 'data')
  const itsUrl = String(printed).trim()
  await probe(itsUrl)
  run.kill('SIGKILL')
  while (await answers(itsUrl)) await delay(50)
})

async function answers(address: string): Promise<boolean> {
  try {
    await probe(address, { timeoutMs: 1000 })
    return true
  } catch {
    return false
  }
}
