import type { CallTree } from 'clew/trace'
import { pageContent } from './html/content.ts'
import type { PageContent } from './html/format.ts'
import { PAGE } from './page-text.js'
import { xml } from './svg/markup.ts'

export interface HtmlOptions {
  /**
   * Most calls in the page, of all traces together; of larger traces the largest calls, the critical path
   * and failures stay, and the page says what was folded.
   * @default 200,000
   */
  readonly maxCalls?: number | undefined
  /**
   * Most traces in the page, the first of those given; the page says how many there were.
   * @default 500
   */
  readonly maxTraces?: number | undefined
}

/**
 * Writes traces into one HTML file that needs nothing else: it opens from a disk, makes no request and
 * shows the verdict, waterfall, flame, call tree and methods of each trace. The same trees give the
 * same bytes. What names contain is shown, never run: they stand in a block of JSON, and the page's
 * policy lets its own code run and no other.
 */
export function renderHtml(trees: readonly CallTree[], options: HtmlOptions = {}): string {
  const { maxCalls = 200_000, maxTraces = 500 } = options
  const content = pageContent(trees, { maxCalls, maxTraces })
  const [first] = content.traces
  const title = first === undefined ? 'Clew' : `${first.title} · ${first.service} · Clew`
  const policy = [
    "default-src 'none'",
    `script-src '${PAGE.scriptHash}'`,
    `style-src '${PAGE.styleHash}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Clew">
<title>${xml(title)}</title>
<link rel="icon" href="data:,">
<style>${PAGE.style}</style>
</head>
<body>
<div id="app">${withoutScript(content)}</div>
<script id="content" type="application/json">${embedded(content)}</script>
<script>${PAGE.script}</script>
</body>
</html>
`
}

/** What is read where scripts do not run: the answers. */
function withoutScript({ traces }: PageContent): string {
  const told = traces
    .slice(0, 20)
    .map(
      ({ title, service, id, sentences }) =>
        `<section><h1>${xml(title)} <small>${xml(service)}</small></h1><p>${xml(id)}</p>` +
        `${sentences.map((sentence) => `<p>${xml(sentence)}</p>`).join('')}</section>`,
    )
  return `<noscript>${told.join('')}<p>The pictures need JavaScript.</p></noscript>`
}

/** JSON that cannot end its block. What would hide in it was written out by `visible()` before. */
function embedded(content: PageContent): string {
  return JSON.stringify(content).replace(
    /[<>&]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
