import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Output } from './output.ts'
import { Page } from './page.ts'

function pageOf(width: number, ascii: boolean): { readonly page: Page; text(): string } {
  let text = ''
  const stream = { columns: width, write: (more: string) => (text += more) }
  const output = new Output({ stdout: stream, stderr: stream, env: {} })
  return { page: new Page({ output, env: {} }, ascii), text: () => text }
}

test('a narrow page leaves out what can be spared, and nothing else', () => {
  for (const [width, titles] of [
    [100, 'PLACE TIME SHARE WHY'],
    [40, 'PLACE TIME SHARE'],
  ] as const) {
    const { page, text } = pageOf(width, true)
    page.title('gateway', `${'\u001b[31m'.repeat(3)} of ${'very '.repeat(11)}long`)
    page.sentence(`It took long → ${'very '.repeat(20)}long.`)
    page.table(
      [
        { title: 'PLACE', least: 16 },
        { title: 'TIME', side: 'right' },
        { title: 'SHARE', side: 'right' },
        { title: 'WHY', spare: true },
      ],
      [{ cells: ['orders.create_order_of_many', '12.5 ms', '90 %', 'the method itself'] }],
    )
    page.steps([
      { command: 'clew show traces.jsonl 12345678', brief: 'the call tree of the first' },
    ])
    const lines = text().split('\n')
    assert.ok(
      lines.every((line) => line.length <= width && /^[\x20-\x7e]*$/.test(line)),
      text(),
    )
    assert.equal(
      lines
        .find((line) => line.startsWith('PLACE'))!
        .trim()
        .replace(/ +/g, ' '),
      titles,
    )
    assert.match(text(), /long\.\n\nPLACE/)
    assert.match(text(), /the call tree of the first/)
  }
})
