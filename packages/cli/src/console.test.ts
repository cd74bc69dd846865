import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { readEvalPrint } from './console.ts'

/** What a prompt prints for what is typed. */
async function printed(typed: string, colors: boolean): Promise<string> {
  const output = new PassThrough()
  const all = text(output)
  const input = new PassThrough().end(typed)
  const fail = () => Promise.reject(new RangeError('hostile \x1b]0;title\x07 text\n\u202e'))
  const bindings = { fail, value: { text: 'plain' } }
  await readEvalPrint({ input, output, terminal: false, colors, prompt: '', bindings })
  output.end()
  return all
}

test('texts of errors cannot steer the terminal', async () => {
  for (const colors of [true, false]) {
    const shown = await printed('fail()\nthrow new Error("\\x1b[2J")\n', colors)
    assert.match(shown, /hostile \\x1b\]0;title\\x07 text/)
    assert.match(shown, /Error: \\x1b\[2J/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there.
    assert.doesNotMatch(shown, /[\x1b\x07\u202e]/u)
  }
})

test('values are shown as Node shows them', async () => {
  assert.equal(await printed('value\n', false), "{ text: 'plain' }\n")
  assert.equal(await printed('value\n', true), "{ text: \x1b[32m'plain'\x1b[39m }\n")
})
