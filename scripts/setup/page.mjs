import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const MAIN = fileURLToPath(new URL('../../packages/render/src/page/main.ts', import.meta.url))
const STYLE = fileURLToPath(new URL('../../packages/render/src/page/page.css', import.meta.url))
const RESULT = fileURLToPath(new URL('../../packages/render/dist/page-text.js', import.meta.url))

/**
 * Puts the code and style of the self-contained page (packages/render/src/page) into a module, as
 * text: a page that opens from a disk cannot import anything. Wants the compiled `clew/trace`.
 */
export async function bundlePage(root) {
  const module = path.join(root, 'node_modules', 'esbuild', 'lib', 'main.js')
  const { build } = (await import(pathToFileURL(module).href)).default
  const [script, style] = await Promise.all([
    built(build, { entryPoints: [MAIN], format: 'iife' }),
    built(build, { entryPoints: [STYLE] }),
  ])
  const page = { script, style, scriptHash: hash(script), styleHash: hash(style) }
  const text = `export const PAGE = ${JSON.stringify(page)}\n`
  const before = await readFile(RESULT, 'utf8').catch(() => '')
  if (text !== before) await writeFile(RESULT, text)
}

async function built(build, options) {
  const { outputFiles } = await build({
    ...options,
    ...{ bundle: true, minify: true, write: false, legalComments: 'none', logLevel: 'silent' },
    ...{ charset: 'ascii', target: ['es2022', 'chrome110', 'firefox115', 'safari16.4'] },
  })
  const text = outputFiles[0].text.trim()
  // Within an HTML element this would end it.
  if (/<\/(script|style)|<!--/i.test(text)) throw new Error('the page would end its own element')
  return text
}

function hash(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundlePage(fileURLToPath(new URL('../..', import.meta.url)))
}
