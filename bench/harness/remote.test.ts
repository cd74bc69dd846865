import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { answerParent, startRemote } from './remote.ts'

interface Echo {
  echo(value: unknown): Promise<unknown>
  fail(): Promise<never>
  die(): Promise<never>
}

const echo: Echo = {
  echo: async (value) => value,
  fail: () => Promise.reject(new Error('out of gold')),
  die: () => process.exit(3),
}

const OWN_FILE = fileURLToPath(import.meta.url)

// The same file is the program that the tests below start.
if (process.argv[2] === 'echo') {
  answerParent(echo, async () => {})
} else {
  describe('a remote', () => {
    it('answers in another process, several questions at once', async () => {
      const remote = startRemote<Echo>(OWN_FILE, ['echo'])
      const sent = [1, 'two', { three: Float64Array.of(3) }, undefined]
      assert.deepEqual(await Promise.all(sent.map((value) => remote.ask.echo(value))), sent)
      await remote.stop()
      await assert.rejects(remote.ask.echo(1), /has ended/)
    })

    it('tells errors of the other process, and what cannot be sent there', async () => {
      const remote = startRemote<Echo>(OWN_FILE, ['echo'])
      await assert.rejects(remote.ask.fail(), /out of gold/)
      await assert.rejects(
        remote.ask.echo(() => {}),
        /could not be cloned/,
      )
      assert.equal(await remote.ask.echo('still there'), 'still there')
      await remote.stop()
    })

    it('fails what was asked of a process that ends', async () => {
      const remote = startRemote<Echo>(OWN_FILE, ['echo'])
      await assert.rejects(remote.ask.die(), /ended with 3/)
      await remote.stop()
    })
  })
}
