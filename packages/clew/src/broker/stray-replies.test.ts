import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Stray } from '../call/index.ts'
import { call, ok } from './contract/fixtures.ts'
import { PendingCall } from './pending-call.ts'
import { StrayReplies } from './stray-replies.ts'

it('stray replies are known for the last 1,024 settled calls and not longer', () => {
  const strays = new StrayReplies()
  const told: string[] = []
  const settle = (number: number, replied: boolean) => {
    const listener = { stray: ({ kind }: Stray) => void told.push(`${number} ${kind}`) }
    const settled = call({ service: 's', id: `id-${number}`, strays: listener })
    const pending = new PendingCall(
      settled,
      { outage: undefined, settled() {} },
      () => {},
      () => {},
    )
    strays.remember(pending, replied)
  }
  for (let number = 0; number <= 1024; number++) settle(number, number % 2 === 0)
  const take = (number: number) => strays.take(`id-${number}`, () => ok(null))
  assert.deepEqual([0, 1, 1, 1024, 1025].map(take), [false, true, true, true, false])
  assert.deepEqual(told, ['1 late', '1 duplicate', '1024 duplicate'])
})
