import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Call, connect, type Interceptor, memory, type Reply, RpcError, rpc, run } from 'clew'
import { type MemoryCluster, memoryCluster } from 'clew/testing'
import { WORK_OBSERVER } from 'clew/testing/steps'

class Work {
  static readonly name = 'work'
  @rpc async well(word: string): Promise<string> {
    return word
  }
  @rpc async badly(): Promise<never> {
    throw new Error('on purpose')
  }
  @rpc async slowly(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 400))
  }
}

/** What a plugin next to the container is told, in the order that calls ended. */
function following() {
  const told: string[] = []
  const callee: Interceptor = (next) => {
    assert.equal(next.tellsObservers, true)
    return (call: Call) => {
      let answers = 0
      call.values.set(WORK_OBSERVER, {
        started: () => void told.push(`${call.method} started`),
        replied(reply: Reply) {
          const { error, result } = reply
          const code = error instanceof RpcError ? error.code : error?.message
          told.push(`${call.method} ${++answers}: ${code ?? result}`)
          return { ...reply, result: 'seen' }
        },
      })
      return next(call)
    }
  }
  return { told, plugin: { name: 'following', callee } }
}

const opened = (maxWorkers: number, plugin: { name: string; callee: Interceptor }) =>
  memoryCluster(Work, { use: [plugin], maxWorkers, log: () => {} })

const proxyOf = (cluster: MemoryCluster) =>
  cluster.proxy<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>('work', {
    timeoutMs: 200,
  })

it('whoever follows the handling of a call is told of its end once, and may change the reply', async () => {
  const { told, plugin } = following()
  await using cluster = await opened(10, plugin)
  const work = proxyOf(cluster)
  assert.equal(await work.well!('hello'), 'seen')
  await assert.rejects(work.badly!(), /on purpose/)
  await assert.rejects(work.well!(), RpcError)
  await assert.rejects(work.nothing!(), RpcError)
  await assert.rejects(work.slowly!(), { code: 'timeout' })
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.deepEqual(told, [
    'well 1: hello',
    'badly 1: on purpose',
    'well 1: bad_arguments',
    'nothing 1: method_not_found',
    'slowly 1: timeout',
  ])
})

it('whoever follows a call that waits for a worker is told when it begins, and when it never does', async () => {
  const { told, plugin } = following()
  const broker = memory()
  // A second request gets here before there is a worker for it.
  await using _running = await run(Work, {
    ...{ broker, use: [plugin], maxWorkers: 1, prefetch: 3, signals: false, log: () => {} },
  })
  await using cluster = await connect(broker)
  const work = cluster.proxy<Work>('work')
  const slow = work.slowly()
  const [late, begun] = [
    cluster.proxy<Work>('work', { timeoutMs: 200 }).slowly(),
    work.well('waited'),
  ]
  await assert.rejects(late, { code: 'timeout' })
  await Promise.all([slow, begun])
  assert.deepEqual(told, [
    'slowly 1: timeout',
    'slowly 1: undefined',
    'well started',
    'well 1: waited',
  ])
})
