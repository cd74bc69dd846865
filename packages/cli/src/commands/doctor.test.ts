import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallRecord, encodeBatch, encodePacket } from 'clew/trace/blocks'
import { afterDamage } from '../doctor.ts'
import { runClew, startClew } from '../run-clew.test.ts'

const newId = () => crypto.randomUUID().replaceAll('-', '')

async function send(
  url: string,
  taken: number,
  dropped: Record<string, number>,
  traceId = newId(),
): Promise<void> {
  const record: CallRecord = {
    ...{ id: '00000000000000a1', service: 'shop', method: 'buy', edge: 'call', seq: 0 },
    ...{ attempt: 1, requestUs: Date.now() * 1000, finishUs: Date.now() * 1000 + 500 },
    ...{ status: 'ok', error: undefined },
  }
  const root = { record, host: 'vm-1', pid: 7 }
  const packet = encodePacket({ traceId, root, pieces: [], ended: true })
  const sender = { name: 'shop', host: 'vm-1', pid: 7, instance: 'ab'.repeat(8) }
  const id = newId()
  const body = encodeBatch({ id, sender, taken, dropped, packets: [packet] })
  const answer = await fetch(`${url}/v1/batches`, { method: 'POST', body: body.slice() })
  assert.equal(answer.status, 200)
}

test('the doctor tells what is well, what was lost, and what to do', async () => {
  const running = startClew(['collect', '--memory', '--port', '0'])
  await running.says('is it well?')
  const url = /http:\/\/127\.0\.0\.1:\d+/u.exec(running.said())![0]
  const ask = (...args: readonly string[]) => runClew(['doctor', '--collector', url, ...args])
  try {
    const fresh = await ask()
    assert.equal(fresh.code, 0, fresh.stderr)
    assert.match(fresh.stdout, /nothing has been sent so far/u)
    const traceId = newId()
    await send(url, 1, {}, traceId)
    assert.match((await ask()).stdout, /1 calls sent = 1 stored \+ 0 rejected \+ 0 dropped/u)
    // The same call once more, as a late reply brings it.
    await send(url, 12, { buffer_full: 7 }, traceId)
    const lost = await ask()
    assert.match(lost.stdout, /12 calls sent = 2 stored .* 7 dropped \+ 3 under way/u)
    assert.match(lost.stdout, /7: buffer_full\n.*larger buffer/su)
    assert.match(lost.stdout, /1 traces, 1 different calls now, /u)
    const json = JSON.parse((await ask('--json')).stdout)
    const { sent, stored, rejected, dropped, underWay } = json.accounts.total
    assert.deepEqual(
      [json.well, sent, stored, rejected, dropped.buffer_full, underWay],
      [...[true, 12, 2, {}, 7, 3]],
    )
    const away = await ask('--broker', 'amqp://127.0.0.1:1')
    assert.deepEqual([away.code, /BAD +broker/u.test(away.stdout)], [1, true])
  } finally {
    running.kill('SIGTERM')
    await running.ended
  }
  const gone = await ask()
  assert.deepEqual([gone.code, /Something is wrong/u.test(gone.stdout)], [1, true])
  assert.match(gone.stdout, /clew collect/u)
})

test('damage to what is made of packets loses no trace', () => {
  assert.match(afterDamage('calls_rollup: 7 rows could not be read'), /no trace is lost/u)
  assert.match(afterDamage('calls: 7 rows could not be read'), /no trace is lost/u)
  assert.match(afterDamage('packets: 7 rows could not be read'), /what is lost is lost/u)
})
