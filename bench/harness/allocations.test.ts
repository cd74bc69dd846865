import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { allocatedBy, COUNTING_FLAGS } from './allocations.ts'
import { answerParent, startRemote } from './remote.ts'

interface Allocating {
  /** Bytes of so many arrays of a thousand numbers each, within the heap or outside. */
  objects(arrays: number): Promise<number>
  buffers(arrays: number): Promise<number>
}

const held: unknown[] = []
const NUMBERS = 1_000

const allocating: Allocating = {
  objects: (arrays) => allocatedBy(() => repeat(arrays, () => new Array(NUMBERS).fill(0.5))),
  buffers: (arrays) => allocatedBy(() => repeat(arrays, () => new Float64Array(NUMBERS))),
}

function repeat(times: number, make: () => unknown): void {
  // Nothing is held for longer than until the next one.
  for (let index = 0; index < times; index++) held[0] = make()
}

const OWN_FILE = fileURLToPath(import.meta.url)

// The same file is the program that the tests below start.
if (process.argv[2] === 'allocating') {
  answerParent(allocating, async () => {})
} else {
  it('counts what is allocated, on the heap and outside', async () => {
    const { ask, stop } = startRemote<Allocating>(OWN_FILE, ['allocating'], COUNTING_FLAGS)
    try {
      for (const question of [ask.objects, ask.buffers]) {
        await question(100)
        const bytes = await question(100)
        assert.ok(bytes >= 100 * NUMBERS * 8 && bytes < 110 * NUMBERS * 8, `${bytes} bytes`)
      }
      await assert.rejects(ask.buffers(20_000), /too much at a time/)
    } finally {
      await stop()
    }
  })

  it('does not count where Node collects when it likes', async () => {
    await assert.rejects(
      allocatedBy(() => {}),
      /COUNTING_FLAGS/,
    )
  })
}
