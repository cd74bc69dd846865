import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Twin } from './nameko-twin.ts'
import { exchange, parseAnswer, serve } from './serve.ts'

interface Answer {
  readonly method: string
  readonly path: string
  readonly body: string | null
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly answer: string
}

const file = new URL('../../http/fixtures/nameko-http.json', import.meta.url)
const { answers } = JSON.parse(readFileSync(file, 'utf8')) as { answers: readonly Answer[] }

/** How Python prints a value, in JavaScript's words. */
const WORDS: Readonly<Record<string, string>> = { '`None`': '`null`' }

/** What we answer otherwise, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  // Node's parser knows no such method.
  'FOO /both': '400',
}

test('requests are answered as Nameko answers them', async (t) => {
  await using server = await serve(Twin, { errorTexts: 'all' })
  for (const expected of answers) {
    const { method, path, body } = expected
    await t.test(
      `${method} ${path}${body === null ? '' : ` ${JSON.stringify(body)}`}`,
      async () => {
        const lines = [`${method} ${path} HTTP/1.1`, 'Host: nameko.test:8123', 'Connection: close']
        if (body !== null) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
        const text = await exchange(server.port, `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
        const answer = parseAnswer(text)
        const different = DIFFERENT[`${method} ${path}`]
        if (different !== undefined) return assert.equal(String(answer.status), different)
        const page = expected.answer.replace(/`None`/, (word) => WORDS[word]!)
        assert.equal(answer.body, page)
        assert.equal(answer.status, expected.status)
        const length = Buffer.byteLength(page)
        const headers = expected.headers.map(([name, value]) =>
          name === 'content-length' && page !== expected.answer
            ? [name, String(length)]
            : [name, value],
        )
        assert.deepEqual(comparable(answer.headers), comparable(headers as [string, string][]))
      },
    )
  }
})

/** Headers in one order; Python gives the methods of Allow in any. */
function comparable(headers: readonly (readonly [string, string])[]): readonly string[] {
  return headers
    .filter(([name]) => name !== 'date' && name !== 'connection')
    .map(([name, value]) => `${name}: ${name === 'allow' ? value.split(', ').sort() : value}`)
    .sort()
}
