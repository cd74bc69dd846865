import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeNews } from './store-news.ts'

test('a log tells when a store stops and goes on, and of damage once', () => {
  const well = { writable: true, reason: undefined, damage: [] }
  const full = { writable: false, reason: 'the disk is full', damage: [] }
  const hurt = { ...well, damage: ['packets: 5 rows'] }
  const news = [well, well, full, full, well, hurt, hurt].map((now, at, all) =>
    storeNews(at === 0 ? undefined : all[at - 1], now),
  )
  const stopped = ['nothing is taken: the disk is full']
  assert.deepEqual(news, [
    ...[[], [], stopped, [], ['what is sent is taken again']],
    ...[['packets: 5 rows'], []],
  ])
  assert.deepEqual(storeNews(undefined, hurt), ['packets: 5 rows'])
  assert.deepEqual(storeNews(undefined, full), stopped)
})
