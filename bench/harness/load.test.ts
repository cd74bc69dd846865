import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { brokerClock } from './broker-process.ts'
import { underLoad } from './load.ts'

it('keeps so many calls under way, and counts all of them', async () => {
  let [made, under, most] = [0, 0, 0]
  const call = async () => {
    made++
    most = Math.max(most, ++under)
    await sleep(2)
    under--
  }
  const figures = await underLoad(call, { concurrency: 5, ms: 50 })
  assert.equal(most, 5)
  assert.equal(under, 0)
  assert.equal(figures.calls, made)
  assert.ok(figures.perS > 0)
  assert.ok(figures.p50Us >= 1000 && figures.p50Us <= figures.p95Us)
  assert.ok(figures.p95Us <= figures.p99Us)
})

it('fails with what a call fails with', async () => {
  const call = () => Promise.reject(new Error('out of gold'))
  await assert.rejects(underLoad(call, { concurrency: 2, ms: 10 }), /out of gold/)
})

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

it('reads the processor time of a broker on this machine', { skip }, async () => {
  const clock = await brokerClock(url ?? '')
  assert.ok(((await clock()) ?? 0) > 0)
})

it('knows no processor time of a broker elsewhere', async () => {
  const clock = await brokerClock('amqp://localhost:9')
  assert.equal(await clock(), undefined)
})
