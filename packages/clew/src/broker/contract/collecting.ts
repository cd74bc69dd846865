import assert from 'node:assert/strict'
import { it } from 'node:test'
import { newHalfId, type Problem } from '../../call/index.ts'
import type { Connect } from './fixtures.ts'

export function collectingTests(connect: Connect): void {
  const name = () => `clew.collect-test-${newHalfId()}`
  const bytes = (value: number, length = 3) => new Uint8Array(length).fill(value)

  it('keeps batches until a collector comes', async (t) => {
    const queue = name()
    const sender = await connect(t)
    for (const value of [1, 2, 3]) {
      assert.equal(
        await sender.collectQueue.hand(bytes(value), { queue, timeoutMs: 5000 }),
        'taken',
      )
    }
    const collector = await connect(t)
    const took: number[] = []
    const all = Promise.withResolvers<void>()
    const consumer = await collector.collectQueue.consume(
      async (batch) => {
        took.push(batch[0]!)
        if (took.length === 3) all.resolve()
      },
      { queue, prefetch: 2 },
    )
    await all.promise
    await consumer.stop()
    assert.deepEqual(took, [1, 2, 3])
  })

  it('gives back what was not taken', async (t) => {
    const queue = name()
    const connection = await connect(t)
    const took: boolean[] = []
    const again = Promise.withResolvers<void>()
    const consumer = await connection.collectQueue.consume(
      async (_, redelivered) => {
        took.push(redelivered)
        if (took.length === 1) throw new Error('the disk is full')
        again.resolve()
      },
      { queue, prefetch: 1 },
    )
    await connection.collectQueue.hand(bytes(1), { queue, timeoutMs: 5000 })
    await again.promise
    await consumer.stop()
    assert.deepEqual(took, [false, true])
  })

  it('takes no more than it can hold, and nothing when it is closed', async (t) => {
    const queue = name()
    const problems: Problem[] = []
    const connection = await connect(t, { onProblem: (problem) => problems.push(problem) })
    const hand = () => connection.collectQueue.hand(bytes(1, 1000), { queue, timeoutMs: 5000 })
    const outcomes = await Promise.all(Array.from({ length: 20 }, hand))
    assert.equal(outcomes.filter((outcome) => outcome === 'taken').length, 16)
    assert.equal(outcomes.filter((outcome) => outcome === 'full').length, 4)
    await connection.close()
    assert.equal(await hand(), 'unavailable')
    assert.deepEqual(problems, [])
  })

  it('still takes what is handed over as the connection ends', async (t) => {
    const queue = name()
    const connection = await connect(t)
    let handed = ''
    await connection.close(async () => {
      handed = await connection.collectQueue.hand(bytes(7), { queue, timeoutMs: 5000 })
    })
    assert.equal(handed, 'taken')
  })

  it('goes to a queue that somebody declared otherwise, and says so once', async (t) => {
    const queue = name()
    const problems: string[] = []
    const connection = await connect(t, { onProblem: ({ kind }) => problems.push(kind) })
    await connection.declare({ name: queue })
    const hand = () => connection.collectQueue.hand(bytes(1), { queue, timeoutMs: 5000 })
    assert.equal(await hand(), 'taken')
    assert.equal(await hand(), 'taken')
    assert.deepEqual(problems, ['collect_queue'])
    const taking = connection.collectQueue.consume(async () => {}, { queue, prefetch: 1 })
    await assert.rejects(taking, /exists with other properties/)
  })

  it('tells how much waits, and who takes it', async (t) => {
    const queue = name()
    const connection = await connect(t)
    const { collectQueue } = connection
    assert.equal(await collectQueue.backlog(queue), undefined)
    await collectQueue.hand(bytes(1), { queue, timeoutMs: 5000 })
    assert.deepEqual(await collectQueue.backlog(queue), { batches: 1, collectors: 0, dead: 0 })
    const taken = Promise.withResolvers<void>()
    const consumer = await collectQueue.consume(async () => taken.resolve(), { queue, prefetch: 1 })
    await taken.promise
    assert.deepEqual(await collectQueue.backlog(queue), { batches: 0, collectors: 1, dead: 0 })
    await consumer.stop()
  })
}
