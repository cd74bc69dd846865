import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Resvg } from '@resvg/resvg-js'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import { matchesGolden } from './samples/golden.ts'
import { trees } from './samples/random.ts'
import { traceOf } from './samples/spec.ts'
import * as samples from './samples/traces.ts'
import { renderSvg } from './svg.ts'

const VIEWS = ['tree', 'waterfall', 'flame', 'critical-path'] as const

for (const view of VIEWS) {
  for (const [name, trace] of Object.entries(samples.GOLDEN_TRACES)) {
    // The newer two: what occurs in these occurs in all.
    if (VIEWS.indexOf(view) > 1 && name !== 'checkout' && name !== 'failing') continue
    test(`${view} of the ${name} trace is as it was`, () => {
      const tree = callTree(trace())
      matchesGolden(`${name}-${view}.svg`, renderSvg(tree, { view, verdict: false }))
    })
  }
}

test('the same trace gives the same bytes', () => {
  for (const view of VIEWS) {
    const draw = () => renderSvg(callTree(samples.failing()), { view })
    assert.equal(draw(), draw())
  }
})

/** The document without its texts and attribute values: what names must not be able to change. */
function skeleton(svg: string): string {
  return svg
    .replace(/>[^<]*</g, '><')
    .replace(/="[^"]*"/g, '')
    .replace(/\s+/g, ' ')
}

test('no name can make the XML invalid', () => {
  fc.assert(
    fc.property(trees(12), fc.constantFrom(...VIEWS), (tree, view) => {
      const svg = renderSvg(tree, { view })
      // The rasteriser's parser is strict: it throws at whatever is not well-formed.
      assert.ok(new Resvg(svg, { font: { loadSystemFonts: false } }).width > 0)
      assert.doesNotMatch(svg, /<script|[^\n\P{Cc}]|\p{Cs}/u)
    }),
    { numRuns: 60 },
  )
})

test('a hostile name yields the elements of a harmless one', () => {
  const draw = (name: string, view: (typeof VIEWS)[number]) =>
    renderSvg(callTree(traceOf({ name: `s.${name}`, host: name, at: 0, total: 10 })), { view })
  for (const view of VIEWS) {
    assert.equal(
      skeleton(draw('</text><script>alert(1)</script>"\'&', view)),
      skeleton(draw('harmless', view)),
    )
    assert.match(draw('a<b>&"c', view), /a&lt;b&gt;&amp;&quot;c/, view)
  }
})

test('the legend explains what occurs and nothing else', () => {
  const plain = renderSvg(callTree(samples.single()))
  for (const absent of ['slowest path</', 'merged repeats', 'failed<', 'no profile', 'folded']) {
    assert.ok(!plain.includes(absent), absent)
  }
  const failing = renderSvg(callTree(samples.failing()))
  for (const present of [
    'failed<',
    'its caller stopped waiting<',
    'not ended<',
    'no profile<',
    'missing calls<',
    'merged before they came home<',
  ]) {
    assert.ok(failing.includes(present), present)
  }
})

test('the header says what is missing, and the verdict', () => {
  const svg = renderSvg(callTree(samples.failing()))
  assert.match(svg, /partial: 12 calls missing, 240 calls merged/)
  assert.match(svg, /PaymentDeclined after 430 ms/)
  assert.doesNotMatch(renderSvg(callTree(samples.failing()), { verdict: false }), /after 430 ms/)
})

test('a picture of ten thousand calls says that it folded, and how much', () => {
  const tree = callTree(samples.wide(10_000))
  for (const view of ['tree', 'waterfall', 'flame'] as const) {
    const svg = renderSvg(tree, { view })
    assert.match(svg, />folded: 9,\d{3} of 9,\d{3} calls</)
    assert.ok(svg.length < 1_000_000)
  }
})

test('in full every call is drawn', () => {
  const svg = renderSvg(callTree(samples.checkout()), { view: 'waterfall', full: true })
  assert.equal(svg.match(/>MultiGet</g)?.length, 6)
})

test('a trace of which hardly anything is known is drawn all the same', () => {
  for (const view of VIEWS) {
    const svg = renderSvg(callTree([]), { view })
    assert.ok(new Resvg(svg).width > 0)
    const odd = callTree([
      { kind: 'rpc-request', timeMs: Number.NaN, host: '', service: '', method: '', id: 'x' },
      { kind: 'rpc-finish', timeMs: -1e308, host: '', service: '', method: '', id: 'y' },
    ])
    assert.ok(new Resvg(renderSvg(odd, { view })).width > 0)
  }
})
