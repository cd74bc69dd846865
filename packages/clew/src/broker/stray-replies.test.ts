import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Stray } from '../call/index.ts'
import { call, ok } from './contract/fixtures.ts'
import { PendingCall } from './pending-call.ts'
import { StrayReplies } from './stray-replies.ts'

it('stray replies are known for the last 1,024 calls without a reply, the last 128 with one, and not longer', () => {
  const strays = new StrayReplies()
  const told: string[] = []
  const settle = (number: number, replied: boolean) => {
    const observer = {
      replied() {},
      failed() {},
      stray: ({ kind }: Stray) => void told.push(`${number} ${kind}`),
    }
    const settled = call({ service: 's', id: `id-${number}`, observer })
    const pending = new PendingCall(
      settled,
      { outage: undefined, settled() {} },
      () => {},
      () => {},
    )
    strays.remember(pending, replied)
  }
  for (let number = 0; number <= 1024; number++) settle(number, false)
  for (let number = 2000; number <= 2128; number++) settle(number, true)
  const take = (number: number) => strays.take(`id-${number}`, () => ok(null))
  const asked = [0, 1024, 2000, 2002, 2128, 1, 1]
  assert.deepEqual(asked.map(take), [false, true, false, true, true, true, true])
  const first = ['1024 late', '2002 duplicate', '2128 duplicate']
  assert.deepEqual(told, [...first, '1 late', '1 duplicate'])
})
