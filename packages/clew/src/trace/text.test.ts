import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText } from './text.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test('a text is the one that its bytes say, whatever came before it', () => {
  // Those of a pair differ in two characters by which they are told apart no more: 31 * 'A' + 'a'.
  const texts = ['AaAa', 'BBBB', 'AaBB', 'BBAa']
  for (let shared = 0; shared <= 4; shared++) {
    for (const text of texts) {
      const rest = bytes(text.slice(shared))
      assert.equal(decodeText(rest, 0, rest.length, `${text}…`, shared), text)
    }
  }
  const long = 'x'.repeat(5_000)
  assert.equal(decodeText(bytes(long), 0, long.length, 'yz', 1), `y${long}`)
  assert.equal(decodeText(bytes('é'), 0, 2, 'naïve', 3), 'naïé')
})
