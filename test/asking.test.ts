/** Every question of docs/asking.md is answered, by the collector's routes as its table has them. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createCollector, memoryStore } from '@clew/collector'
import { CollectorClient } from '@clew/collector/client'
import { commands } from './docs/commands.ts'
import { fences } from './docs/fences.ts'

const page = await readFile(new URL('../../docs/asking.md', import.meta.url), 'utf8')

/** The URL that a curl command asks, with what `-d` and `--data-urlencode` add. */
function urlOf(words: readonly string[]): string {
  const url = new URL(words.find((word) => word.startsWith('http://'))!)
  for (const [at, word] of words.entries()) {
    if (word !== '-d' && word !== '--data-urlencode') continue
    const [name, ...value] = words[at + 1]!.split('=')
    url.searchParams.append(name!, value.join('='))
  }
  return url.href
}

test('what the page asks is answered, and its table is whole', async () => {
  await using collector = createCollector({ store: memoryStore() })
  const asked = fences('asking.md', page)
    .filter(({ language }) => language === 'sh')
    .flatMap(commands)
    .filter(({ words: [name] }) => name === 'curl')
  assert.ok(asked.length >= 7)
  for (const { words } of asked) {
    const response = await collector.fetch(new Request(urlOf(words)))
    assert.equal(response.status, 200, `${words.join(' ')}: ${await response.text()}`)
  }
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  for (const { path } of collector.routes) {
    const there = rows.some((row) => row.includes(`\`${path}\``) || row.includes(` ${path}\``))
    assert.ok(there || !path.startsWith('/api/') || path === '/api/openapi.json', path)
  }
  for (const row of rows) {
    for (const [, name] of row.split('|')[2]!.matchAll(/`(\w+)`/gu)) {
      assert.ok(name! in CollectorClient.prototype, name)
    }
  }
})
