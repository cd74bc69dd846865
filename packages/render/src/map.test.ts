import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTree, serviceMap } from 'clew/trace'
import fc from 'fast-check'
import {
  mapLayout,
  mapMatrix,
  markdownText,
  PAGE_MARK,
  renderMapDot,
  renderMapMermaid,
  renderMapSvg,
  renderMapText,
  renderSystemDocs,
  renderSystemPages,
} from './map.ts'
import { trees } from './samples/random.ts'
import { storeTrees } from './samples/store.ts'
import { checkout } from './samples/traces.ts'

const systems = fc.array(trees(30), { minLength: 1, maxLength: 5 }).map(serviceMap)

const graphs = fc.integer({ min: 1, max: 25 }).chain((count) =>
  fc.record({
    boxes: fc.array(
      fc.record({ width: fc.constant(200), height: fc.integer({ min: 50, max: 300 }) }),
      {
        ...{ minLength: count, maxLength: count },
      },
    ),
    lines: fc.array(
      fc.record({ from: fc.nat({ max: count - 1 }), to: fc.nat({ max: count - 1 }) }),
      {
        maxLength: 60,
      },
    ),
  }),
)

test('cards lie apart and within the picture, lines lead right but for those that close a circle', () => {
  fc.assert(
    fc.property(graphs, ({ boxes, lines }) => {
      const words = lines.map(() => 90)
      const layout = mapLayout(boxes, lines, words)
      assert.deepEqual(layout, mapLayout(boxes, lines, words))
      for (const [index, card] of layout.cards.entries()) {
        assert.ok(card.x >= 0 && card.x + card.width <= layout.width + 0.01)
        assert.ok(card.y >= -0.01 && card.y + card.height <= layout.height + 0.01)
        for (const other of layout.cards.slice(index + 1)) {
          const beside = card.x + card.width <= other.x || other.x + other.width <= card.x
          const over =
            card.y + card.height <= other.y + 0.01 || other.y + other.height <= card.y + 0.01
          assert.ok(beside || over)
        }
      }
      for (const [index, line] of layout.lines.entries()) {
        const { from, to } = lines[index]!
        assert.equal(line === undefined, from === to)
        if (line === undefined) continue
        const [left, right] = line.back ? [to, from] : [from, to]
        assert.ok(layout.cards[left]!.x + 200 < layout.cards[right]!.x)
        // Level stretches never run through a card that the line does not belong to.
        for (const { fromX, toX, y } of line.points) {
          for (const [at, card] of layout.cards.entries()) {
            if (at === from || at === to) continue
            const meets = fromX < card.x + card.width && toX > card.x
            assert.ok(!(meets && y > card.y + 0.01 && y < card.y + card.height - 0.01))
          }
        }
      }
      if (lines.every(({ from, to }) => from < to)) {
        assert.ok(layout.lines.every((line) => line?.back === false))
      }
    }),
    { numRuns: 200 },
  )
})

test('200 services with 600 links are laid out at once', (t) => {
  let state = 7
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * 200)
  }
  const boxes = Array.from({ length: 200 }, () => ({ width: 236, height: 92 }))
  const lines = Array.from({ length: 600 }, () => ({ from: next(), to: next() }))
  const words = lines.map(() => 90)
  mapLayout(boxes, lines, words)
  const begin = performance.now()
  const { cards } = mapLayout(boxes, lines, words)
  t.diagnostic(`${Math.round(performance.now() - begin)} ms`)
  assert.equal(cards.length, 200)
})

test('what is settings to Mermaid even within quotes is written as numbers', () => {
  const entry = { kind: 'rpc-receive', timeMs: 1_795_386_521_000, host: 'h', id: 'c' } as const
  const map = serviceMap([callTree([{ ...entry, service: '%%{init: 1}%%', method: 'm' }])])
  assert.match(renderMapMermaid(map), /\["#37;#37;{init: 1}#37;#37;"\]/)
})

test('no name breaks a diagram, a picture or a document', () => {
  fc.assert(
    fc.property(systems, (map) => {
      assert.match(renderMapSvg(map, { methods: true }), /^<svg [\s\S]*<\/svg>\n$/)
      assert.doesNotMatch(renderMapSvg(map), /<script/)
      const matrix = renderMapSvg(map, { matrix: true })
      assert.match(matrix, /^<svg [\s\S]*<\/svg>\n$/)
      assert.doesNotMatch(matrix, /<script/)
      const [, ...dot] = renderMapDot(map).trimEnd().split('\n')
      for (const line of dot) {
        assert.match(
          line,
          /^(?:\}| {2}rankdir=LR| {2}p\d+(?: -> p\d+)? \[label="(?:[^"\\]|\\.)*"(?:, \w+=\w+)?\])$/u,
        )
      }
      const [head, ...mermaid] = renderMapMermaid(map).trimEnd().split('\n')
      assert.equal(head, 'flowchart LR')
      for (const line of mermaid) {
        assert.doesNotMatch(line, /%%/)
        assert.match(
          line,
          /^ {2}p\d+(?: -?(?:-|\.-)[->]*\|"[^"|<>`]+"\| p\d+|(?:\[\(?|>|\(\[)"[^"|<>`[\]]+"(?:\)?\]|\]\)))$/u,
        )
      }
      const docs = renderSystemDocs(map)
      assert.equal(docs, renderSystemDocs(map))
      assert.doesNotMatch(docs, /<(?!\/?code>| ?\d)/)
      const services = map.places.filter(({ kind }) => kind === 'service').length
      assert.equal(docs.match(/^## /gm)?.length, 1 + services)
      const pages = renderSystemPages(map)
      const files = pages.map(({ file }) => file)
      assert.equal(new Set(files.map((file) => file.toLowerCase())).size, services + 1)
      for (const { file, text } of pages) {
        assert.match(file, /^[\w][\w.-]*\.md$/)
        assert.ok(text.startsWith(`${PAGE_MARK}\n`))
        assert.doesNotMatch(text.slice(PAGE_MARK.length), /<(?!\/?code>| ?\d)/)
        // Links lead to pages that there are; columns of tables are as many in each row.
        for (const [, to] of text.matchAll(/(?<!\\)\]\(([^)]*)\)/g)) assert.ok(files.includes(to!))
        let columns = 0
        for (const line of text.split('\n')) {
          const cells = line.startsWith('|') ? line.split('|').length : 0
          if (cells > 0 && columns > 0) assert.equal(cells, columns)
          columns = cells
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('names are text in Markdown, and what has no meaning there stays as it is', () => {
  const same = [
    'get_user',
    'Busiest: a to b, 3 calls.',
    'host:8080',
    'a-b {c} (d) 5% fail!',
    'x > y',
  ]
  for (const text of same) assert.equal(markdownText(text), text)
  const escaped = {
    'a|b': 'a&#124;b',
    '</code><script>': '&lt;/code>&lt;script>',
    'x\n# y': 'x\\\\n# y',
    '# x #': '\\# x \\#',
    '- x': '\\- x',
    '1. x': '1\\. x',
    '*a* _b_ ~c~ $d$': '\\*a\\* \\_b\\_ \\~c\\~ \\$d\\$',
    '[a](b)': '\\[a\\](b)',
    '&lt; & b': '&amp;lt; & b',
    'http://x www.y :smile: a@b': 'http&#58;//x www&#46;y &#58;smile: a&#64;b',
    '  ': '(no name)',
  }
  for (const [text, shown] of Object.entries(escaped)) assert.equal(markdownText(text), shown)
})

test('the text answers what calls what, and what fails', () => {
  const map = serviceMap([callTree(checkout())])
  for (const width of [40, 80, 100]) {
    const text = renderMapText(map, { unicode: false, width })
    assert.doesNotMatch(text, /[^\n\x20-\x7e]/)
    assert.ok(
      text.split('\n').every((line) => line.length <= width),
      text,
    )
    const places = text.slice(text.indexOf('\n\n'))
    const order = [/^outside\n/m, /^edge-gatew/m, /^payment/m].map((place) => places.search(place))
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  }
  const text = renderMapText(map, { unicode: false })
  assert.match(text, /^17 services\. Everything enters by edge-gateway\. /)
  assert.match(text, /\n {2}-> acquirer-adapter +1 call .* 100 % fail \(Unavailable\)\n/)
})

test('with methods, the text tells which method asks for which', () => {
  const map = serviceMap(storeTrees(2))
  const arrows = (text: string) => text.match(/^ {6}\S.* -> \S/gm)?.length ?? 0
  const told = renderMapText(map, { unicode: false, methods: true })
  assert.ok(arrows(told) > 3)
  assert.equal(arrows(renderMapText(map, { unicode: false })), 0)
  const one = map.links.find(({ kind, from }) => kind === 'call' && !from.startsWith('outside:'))!
  const { from, to } = one.methods[0]!
  assert.ok(told.includes(`      ${from} -> ${to}`), told)
})

test('what is near a service, and large systems, are told to be a part', () => {
  const map = serviceMap(storeTrees(2))
  const near = renderMapText(map, { service: 'orders', hops: 1 })
  assert.match(near, /orders\.db/)
  assert.doesNotMatch(near, /→ images/)
  assert.match(renderMapSvg(map, { maxPlaces: 3 }), /places? not drawn/)
})

test('a matrix has every call once, whatever is folded, and what enters first is first', () => {
  fc.assert(
    fc.property(systems, fc.integer({ min: 1, max: 6 }), (map, maxPlaces) => {
      const all = map.links.reduce((sum, { calls }) => sum + calls, 0)
      for (const matrix of [mapMatrix(map), mapMatrix(map, { maxPlaces })]) {
        const { rows, columns, cells, folded } = matrix
        assert.equal(
          cells.reduce((sum, { calls }) => sum + calls, 0),
          all,
        )
        for (const { row, column, failed, calls } of cells) {
          assert.ok(row in rows && column in columns && failed <= calls)
        }
        // What is folded is told, as a number of places, and only in the last row and column.
        const rest = [rows, columns].map((ends) => ends.findIndex(({ place }) => !place))
        assert.equal(
          folded > 0,
          rest.some((at) => at >= 0),
        )
        for (const [which, ends] of [rows, columns].entries()) {
          assert.ok(rest[which] === -1 || rest[which] === ends.length - 1)
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('a large system is drawn as a matrix by itself, its failures in words', () => {
  const links = Array.from({ length: 60 }, (_, at) => ({
    ...{ service: `s${at}`, method: 'get', parent: at === 0 ? null : `c${at - 1}` },
    ...{ id: `c${at}`, host: 'h', timeMs: 1_795_386_521_000 },
  }))
  const failing = { status: 'error', error: 'Broken' } as const
  const map = serviceMap([
    callTree([
      ...links.map((name, at) => ({
        ...name,
        kind: 'rpc-receive' as const,
        timeMs: name.timeMs + at,
      })),
      ...links.map((name, at) => ({
        ...{ ...name, kind: 'rpc-respond' as const, timeMs: name.timeMs + 200 - at },
        ...(at === 59 ? failing : {}),
      })),
    ]),
  ])
  const drawn = renderMapSvg(map)
  assert.match(drawn, /rows call columns/)
  assert.match(drawn, /s58 → s59: of 1 call, 100 % fail \(Broken\)/)
  assert.match(drawn, /<title>s3 → s4: 1 call · /)
  assert.doesNotMatch(renderMapSvg(map, { matrix: false }), /rows call columns/)
  assert.doesNotMatch(renderMapSvg(map, { service: 's3', hops: 2 }), /rows call columns/)
  assert.match(renderMapSvg(map, { service: 's3', matrix: true }), /rows call columns/)
})
