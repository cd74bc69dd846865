import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Collections } from './collections.ts'

const held: unknown[] = []

test('collections are told: how long they took, and when the last began', async () => {
  const collections = new Collections()
  const began = performance.now()
  // More than any young generation holds.
  for (let made = 0; made < 2_000; made++) held[0] = new Array(10_000).fill(made)
  const [took, latest] = [await collections.tookMs(), await collections.latestMs()]
  assert.ok(took > 0)
  assert.ok(latest >= began && latest <= performance.now())
})
