import assert from 'node:assert/strict'
import { it } from 'node:test'
import { newHalfId, type Problem } from '../../call/index.ts'
import type { Connect } from './fixtures.ts'

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
}

export function mailboxTests(connect: Connect): void {
  it('brings a piece to the box that is open', async (t) => {
    const opener = await connect(t)
    const sender = await connect(t)
    const key = newHalfId()
    const pieces: Uint8Array[] = []
    const box = await opener.mailbox.open(key, (piece) => pieces.push(new Uint8Array(piece)))
    assert.equal(await sender.mailbox.post(key, new Uint8Array([1, 2])), true)
    assert.equal(await sender.mailbox.post(key, new Uint8Array(64 * 1024)), true)
    const deadline = Date.now() + 5000
    while (pieces.length < 2 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.deepEqual(
      pieces.map((piece) => piece.length),
      [2, 64 * 1024],
    )
    await box[Symbol.asyncDispose]()
    assert.equal(await sender.mailbox.post(key, new Uint8Array([1])), false)
  })

  it('refuses what is too large, unknown or too much', async (t) => {
    const problems: Problem[] = []
    const connection = await connect(t, { onProblem: (problem) => problems.push(problem) })
    const key = newHalfId()
    assert.equal(await connection.mailbox.post(key, new Uint8Array(64 * 1024 + 1)), false)
    assert.equal(await connection.mailbox.post(key, new Uint8Array(1)), false)
    const box = await connection.mailbox.open(key, () => {})
    const posts = Array.from({ length: 300 }, () => connection.mailbox.post(key, new Uint8Array(1)))
    const outcomes = await Promise.all(posts)
    assert.equal(outcomes.filter((arrived) => arrived).length, 256)
    const heavy = Array.from({ length: 20 }, () =>
      connection.mailbox.post(key, new Uint8Array(60 * 1024)),
    )
    assert.equal((await Promise.all(heavy)).filter((arrived) => arrived).length, 17)
    await box[Symbol.asyncDispose]()
    await connection.close()
    assert.equal(await connection.mailbox.post(key, new Uint8Array(1)), false)
    assert.deepEqual(problems, [])
  })

  it('asks everybody who listens, and nobody where nobody does', async (t) => {
    const asker = await connect(t)
    const listeners = await Promise.all([connect(t), connect(t)])
    const heard: string[] = []
    const mine = newHalfId()
    const ears = await Promise.all(
      [asker, ...listeners].map(({ mailbox }, index) =>
        mailbox.listen((question) => {
          // Other tests may ask beside this one.
          const text = Buffer.from(question).toString('latin1')
          if (text.startsWith(mine)) heard.push(`${index} ${text.slice(mine.length)}`)
        }),
      ),
    )
    const ask = (text: string) => asker.mailbox.ask(Buffer.from(`${mine}${text}`, 'latin1'))
    assert.equal(await ask('a'), true)
    await until(() => heard.length === 3)
    await ears[0]![Symbol.asyncDispose]()
    assert.equal(await ask('b'), true)
    await until(() => heard.length === 5)
    assert.deepEqual(heard.toSorted(), ['0 a', '1 a', '1 b', '2 a', '2 b'])
    assert.equal(await asker.mailbox.ask(new Uint8Array(4 * 1024 + 1)), false)
    await asker.close()
    assert.equal(await ask('c'), false)
  })

  it('closes a box while pieces still stream in', async (t) => {
    const problems: Problem[] = []
    const opener = await connect(t, { onProblem: (problem) => problems.push(problem) })
    const sender = await connect(t)
    for (let round = 0; round < 5; round++) {
      const key = newHalfId()
      const first = Promise.withResolvers<void>()
      const box = await opener.mailbox.open(key, () => first.resolve())
      const posts = Array.from({ length: 15 }, () =>
        sender.mailbox.post(key, new Uint8Array(64 * 1024)),
      )
      await first.promise
      await box[Symbol.asyncDispose]()
      await Promise.all(posts)
    }
    assert.deepEqual(problems, [])
  })
}
