import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes of a minified module that takes these from `clew/trace`, compressed as a server sends it. */
async function sizeOf(names: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export ${names} from './index.js'`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    ...{ bundle: true, minify: true, format: 'esm', target: 'es2024', write: false },
    logLevel: 'silent',
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

test('what a page needs to show one trace is small', async (t) => {
  const shown = await sizeOf('{ TraceReader, callTree, verdict }')
  t.diagnostic(`a trace's tree and verdict: ${shown} bytes`)
  // Three of them align clocks, without which nobody can say where a callee's work lies.
  assert.ok(shown <= 21 * 1024)
})

test('all of clew/trace is small enough to be in every page', async (t) => {
  const whole = await sizeOf('*')
  t.diagnostic(`everything: ${whole} bytes`)
  assert.ok(whole <= 49 * 1024)
})
