import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, memory, proxy, rpc, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { callTree, pauseEffects } from 'clew/trace'

class Busy {
  static readonly name = 'busy'

  @rpc block(ms: number): number {
    const until = performance.now() + ms
    while (performance.now() < until);
    return ms
  }

  @rpc async wait(ms: number): Promise<number> {
    await delay(ms)
    return ms
  }
}

class Both {
  static readonly name = 'both'
  busy = proxy<Busy>('busy')

  @rpc async call(): Promise<number> {
    const waiting = this.busy.wait(30)
    const blocking = this.busy.block(200)
    return (await waiting) + (await blocking)
  }
}

async function traceOf(options: Parameters<typeof profile>[0]) {
  const broker = memory()
  await using _services = await run([Busy, Both], { broker, use: [profile(options)] })
  await using cluster = await connect(broker)
  // The loop has turned a few times before it can be told how busy it is.
  await delay(150)
  return (await traced(cluster.proxy<Both>('both')).call()).trace
}

test('what kept the event loop from going on comes home with the calls that it held up', async () => {
  const tree = callTree(await traceOf({ version: '3.1.4' }))
  const stall = pauseEffects(tree).find(({ pause }) => pause.kind === 'event-loop')
  assert.ok(stall, 'a stall of the event loop')
  assert.equal(stall.pause.pid, process.pid)
  const methods = stall.calls.map(({ call }) => call.method)
  assert.ok(methods.includes('wait'), methods.join())
  const waiting = tree.root.calls.find(({ method }) => method === 'wait')
  assert.equal(waiting?.version, '3.1.4')
  assert.ok(waiting.busy !== undefined && waiting.busy >= 0 && waiting.busy <= 1)
})

test('a process that does not watch itself tells nothing', async () => {
  const tree = callTree(await traceOf({ watch: false }))
  assert.deepEqual(tree.pauses, [])
  assert.equal(tree.root.calls[0]?.busy, undefined)
})

test('a version that could not travel with every call is refused', () => {
  assert.throws(() => profile({ version: 'x'.repeat(65) }), /at most 64 characters/)
})
