/** Mermaid diagrams as Mermaid itself reads them: it needs a browser. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { renderMapMermaid, visible } from '@clew/render'
import { callTree, serviceMap } from 'clew/trace'
import fc from 'fast-check'
import { NO_BROWSER, newTab } from './browser.ts'

const mermaid = createRequire(import.meta.url).resolve('mermaid/dist/mermaid.min.js')

/** Words and signs of Mermaid, of HTML and of Markdown, alone and within anything. */
const signs = fc.constantFrom(
  ...['end', 'subgraph', 'click', 'style', 'class', 'graph TD', '-->', '---', '~~~', ':::', '@{'],
  ...['%%', '%%{init: {"theme": "dark"}}%%', '"', '#quot;', '#35;', '&lt;', '</script>', '`', '"`'],
  ...['\n', ' ', ';', '|', '[', ')', '{{', '\\', '\u202e', '支払い', '$$x$$'],
)
const name = fc
  .array(fc.oneof(signs, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 5 })
  .map((parts) => parts.join(''))

const T = 1_795_386_521_000

/** A service that calls all others. */
function mapOf(names: readonly string[]) {
  const entries = names.map((service, at) => ({
    ...{ kind: 'rpc-receive' as const, timeMs: T + at, host: 'h', trace: 't', method: service },
    ...{ service, id: `c${at}`, parent: at === 0 ? null : 'c0' },
  }))
  return serviceMap([callTree(entries)])
}

/** What Mermaid leaves on a page that has loaded it. */
interface Loaded {
  readonly mermaid: {
    parse(source: string): Promise<unknown>
    readonly mermaidAPI: {
      getDiagramFromText(source: string): Promise<{
        readonly db: { getVertices(): Map<string, { readonly text: string }> }
      }>
    }
  }
}

/** Mermaid writes numbers of characters in a way of its own until it draws them. */
const decoded = (text: string) =>
  text.replace(/ﬂ°°(\d+)¶ß/gu, (_, number) => String.fromCodePoint(Number(number)))

test('Mermaid reads every place with its name, whatever the names', {
  skip: NO_BROWSER,
}, async () => {
  const tab = await newTab()
  await tab.addScriptTag({ path: mermaid })
  const maps = fc.sample(fc.array(name, { minLength: 1, maxLength: 6 }), 60).map(mapOf)
  const read = await tab.evaluate(
    async (sources: readonly string[]) => {
      const { mermaid } = globalThis as unknown as Loaded
      const texts: string[][] = []
      for (const source of sources) {
        // As pages do: throws where it is no diagram.
        await mermaid.parse(source)
        const { db } = await mermaid.mermaidAPI.getDiagramFromText(source)
        texts.push([...db.getVertices().values()].map(({ text }) => text))
      }
      return texts
    },
    maps.map((map) => renderMapMermaid(map)),
  )
  for (const [at, map] of maps.entries()) {
    const names = map.places.map((place) => visible(place.name).replace(/\s+/gu, ' ').trim())
    const shown = read[at]!.map((text) => decoded(text).replace(/\s+/gu, ' ').trim())
    assert.deepEqual(shown, names)
  }
})
