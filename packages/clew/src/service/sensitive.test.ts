import assert from 'node:assert/strict'
import { it } from 'node:test'
import { redact } from './sensitive.ts'

it('replaces what the paths name and nothing else', () => {
  const args = ['ada', { card: { number: '4111', owner: 'Ada' }, tags: ['a', 'b'] }, 'secret']
  const redacted = redact(['user', 'order', 'password'], args, [
    'password',
    'order.card.number',
    'order.tags[1]',
    'order.nothing.here',
    'unknown',
  ])
  assert.deepEqual(redacted, [
    'ada',
    { card: { number: '********', owner: 'Ada' }, tags: ['a', '********'] },
    '********',
  ])
  assert.equal((args[1] as { card: { number: string } }).card.number, '4111', 'the original stays')
})
