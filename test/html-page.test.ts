/** The self-contained page as people meet it: opened from a disk, by a real browser. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { renderHtml } from '@clew/render/html'
import type { CallTree, Entry, Trace } from 'clew/trace'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import type { Page } from 'playwright-core'
import { NO_BROWSER, newTab } from './browser.ts'

const folder = await mkdtemp(join(tmpdir(), 'clew-page-'))
after(() => rm(folder, { recursive: true, force: true }))

interface Opened {
  readonly tab: Page
  readonly url: string
  /** Requests, and what the console or an uncaught error said: nothing should be. */
  readonly said: string[]
}

let pages = 0

async function open(trees: readonly CallTree[], fragment = ''): Promise<Opened> {
  const file = join(folder, `page-${pages++}.html`)
  await writeFile(file, renderHtml(trees))
  const tab = await newTab()
  const said: string[] = []
  const url = pathToFileURL(file).href
  tab.on('console', (message) => said.push(`console: ${message.text()}`))
  tab.on('pageerror', (error) => said.push(`error: ${error.message}`))
  tab.on('request', (request) => {
    if (request.url().replace(/#.*/, '') !== url) said.push(`request: ${request.url()}`)
  })
  await tab.setViewportSize({ width: 1280, height: 800 })
  await tab.goto(url + fragment)
  await tab.waitForSelector('h1')
  return { tab, url, said }
}

/** A root that makes calls, each `[service.method, from, total, error?]`, one after the other or at once. */
function tree(
  calls: readonly (readonly [name: string, at: number, total: number, error?: string])[],
): CallTree {
  const started = Date.UTC(2026, 10, 22)
  const entries: Entry[] = []
  const add = (
    id: string,
    parent: string | null,
    name: string,
    at: number,
    total: number,
    error?: string,
  ) => {
    const [service = '', ...method] = name.split('.')
    const shared = { id, parent, trace: 'ab'.repeat(16), service, method: method.join('.') }
    const caller = { ...shared, host: parent === null ? 'client' : 'host-a' }
    const callee = { ...shared, host: `host-${service}` }
    const end = error === undefined ? {} : ({ status: 'error', error } as const)
    entries.push({ ...caller, kind: 'rpc-request', timeMs: started + at })
    entries.push({ ...callee, kind: 'rpc-receive', timeMs: started + at + total * 0.1 })
    entries.push({ ...callee, kind: 'rpc-respond', timeMs: started + at + total * 0.9, ...end })
    entries.push({ ...caller, kind: 'rpc-finish', timeMs: started + at + total, ...end })
  }
  const length = calls.reduce((most, [, at, total]) => Math.max(most, at + total), 10)
  add('f'.repeat(16), null, 'gateway.checkout', 0, length * 1.3)
  for (const [index, [name, at, total, error]] of calls.entries()) {
    add(
      index.toString(16).padStart(16, '0'),
      'f'.repeat(16),
      name,
      at + length * 0.14,
      total,
      error,
    )
  }
  const trace: Trace = {
    id: 'ab'.repeat(16),
    entries,
    folds: [],
    missing: [],
    relays: [],
    complete: true,
  }
  return callTree(trace)
}

const SHOP = [
  ['stock.reserve', 0, 20],
  ['payments.charge', 25, 60, 'PaymentDeclined'],
  ['mail.send', 90, 5],
] as const

const selected = async (tab: Page) =>
  (await tab.locator('aside h2').innerText()).replace(/\s+/g, ' ')
const fragment = (tab: Page) => tab.evaluate<string>('decodeURIComponent(location.hash)')

test('the page opens from a disk, asks for nothing, and says what happened', {
  skip: NO_BROWSER,
}, async () => {
  const { tab, said } = await open([tree(SHOP)])
  assert.equal(await tab.innerText('h1'), 'checkout gateway')
  assert.match(await tab.innerText('.verdict'), /39 % of 124 ms went to payments\.charge/)
  assert.match(await tab.locator('[role=status]').innerText(), /went to payments\.charge/)
  const grid = tab.locator('[role=treegrid]')
  assert.equal(await grid.getAttribute('aria-rowcount'), '4')
  assert.equal(await grid.locator('[role=row]').count(), 4)
  // Bars are really drawn: the canvas is not of one colour.
  const colors = await tab.evaluate<number>(`(() => {
    const canvas = document.querySelector('.scroller canvas')
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(pixels.data.buffer)).size
  })()`)
  assert.ok(colors > 5, `${colors} colours`)
  assert.deepEqual(said, [])
})

test('its policy lets nothing else run', { skip: NO_BROWSER }, async () => {
  const { tab, said } = await open([tree(SHOP)])
  const ran = await tab.evaluate<boolean>(`(() => {
    const script = document.createElement('script')
    script.textContent = 'window.ran = true'
    document.body.append(script)
    return 'ran' in window
  })()`)
  assert.equal(ran, false)
  assert.match(said.join(), /Content Security Policy/)
})

test('calls are walked by keys alone', { skip: NO_BROWSER }, async () => {
  const { tab, said } = await open([tree(SHOP)])
  const walk = async (keys: string, expected: RegExp) => {
    for (const key of keys) await tab.keyboard.press(key)
    await tab.waitForTimeout(60)
    assert.match(await selected(tab), expected, keys)
  }
  await walk('e', /payments charge.*PaymentDeclined/s)
  await walk('k', /stock reserve/)
  await walk('h', /gateway checkout/)
  assert.equal(
    await tab.locator('[role=row][aria-level="1"]').getAttribute('aria-expanded'),
    'true',
  )
  await walk('h', /gateway checkout/)
  assert.equal(await tab.locator('[role=treegrid]').getAttribute('aria-rowcount'), '1')
  await walk('ll', /stock reserve/)
  await walk('jj', /mail send/)
  await walk('E', /payments charge/)
  // Along the critical path, in order of time: the root, then the first call.
  await walk('hhl', /gateway checkout/)
  await walk('cc', /stock reserve|gateway checkout/)
  const active = await tab.locator('[role=treegrid]').getAttribute('aria-activedescendant')
  assert.equal(await tab.locator(`#${active}`).getAttribute('aria-selected'), 'true')
  await tab.keyboard.press('?')
  assert.equal(await tab.locator('dialog').isVisible(), true)
  await tab.keyboard.press('?')
  assert.equal(await tab.locator('dialog').isVisible(), false)
  assert.deepEqual(said, [])
})

test('search finds by words and fields, and steps through what it found', {
  skip: NO_BROWSER,
}, async () => {
  const { tab } = await open([tree(SHOP)])
  const found = async (query: string) => {
    await tab.keyboard.press('/')
    await tab.keyboard.type(query)
    await tab.waitForTimeout(60)
    const count = await tab.innerText('.count')
    await tab.keyboard.press('Enter')
    await tab.waitForTimeout(60)
    const names = [await selected(tab)]
    await tab.keyboard.press('Escape')
    await tab.keyboard.press('Escape')
    return [Number(count.split(' ').at(-1)), names[0]!.split(/\s+/).slice(0, 2).join(' ')]
  }
  assert.deepEqual(await found('mail'), [1, 'mail send'])
  assert.deepEqual(await found('err:1'), [1, 'payments charge'])
  assert.deepEqual(await found('service:stock method:res*'), [1, 'stock reserve'])
  assert.equal((await found('dur:>50ms'))[0], 2)
  assert.equal((await found('host-a-nowhere'))[0], 0)
})

test('a link shows what was looked at', { skip: NO_BROWSER }, async () => {
  const { tab, url } = await open([tree(SHOP), tree([['other.call', 0, 5]])])
  for (const key of ['e', 'f', '2']) await tab.keyboard.press(key)
  await tab.keyboard.press('/')
  await tab.keyboard.type('pay')
  await tab.keyboard.press('Enter')
  await tab.waitForTimeout(100)
  const link = await fragment(tab)
  assert.match(link, /^#v=flame&z=[\d.]+-[\d.]+ms&s=0{15}1&q=pay$/)
  const other = await newTab()
  await other.goto(`${url}${await tab.evaluate<string>('location.hash')}`)
  await other.waitForSelector('h1')
  assert.equal(await fragment(other), link)
  assert.match(await selected(other), /payments charge/)
  assert.equal(await other.getAttribute('[role=tab][aria-selected=true]', 'title'), 'Flame (2)')
  assert.equal(await other.inputValue('input[type=search]'), 'pay')
  // What nobody wrote is read as nothing.
  await other.goto(`${url}#v=nope&t=99&z=5-1ms&s=%23999999&q=%00`)
  await other.reload()
  assert.equal(await other.innerText('h1'), 'checkout gateway')
  await other.goto(`${url}#t=2`)
  await other.waitForTimeout(100)
  assert.match(await other.innerText('.traces summary'), /Trace 2 of 2/)
})

test('wheel, drag and keys zoom and move', { skip: NO_BROWSER }, async () => {
  const { tab } = await open([tree(SHOP)], '#v=flame')
  const zoom = async () =>
    (/z=([\d.-]+)-([\d.]+)ms/.exec(await fragment(tab)) ?? []).slice(1).map(Number)
  assert.deepEqual(await zoom(), [])
  await tab.mouse.move(600, 420)
  await tab.mouse.wheel(0, -300)
  await tab.waitForTimeout(60)
  const [from, to] = await zoom()
  assert.ok(to! - from! < 120)
  await tab.mouse.down()
  await tab.mouse.move(500, 420, { steps: 4 })
  await tab.mouse.up()
  await tab.waitForTimeout(60)
  assert.ok((await zoom())[0]! > from!)
  for (const key of 'wwdas') await tab.keyboard.press(key)
  await tab.keyboard.press('0')
  await tab.waitForTimeout(60)
  assert.deepEqual(await zoom(), [])
})

test('every view of a hostile or broken trace shows something and complains of nothing', {
  skip: NO_BROWSER,
}, async () => {
  const texts = fc.oneof(
    fc.constantFrom(
      '</script><script>alert(1)</script>',
      '<!--',
      '\u2028',
      '\u202e',
      '\ud800',
      '{{',
      '',
      '#7',
      '__proto__',
      'constructor',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
  )
  const entries = fc.array(
    fc.record({
      kind: fc.constantFrom('rpc-request', 'rpc-receive', 'rpc-start', 'rpc-respond', 'rpc-finish'),
      timeMs: fc.oneof(fc.double(), fc.integer({ min: 0, max: 100 })),
      host: texts,
      service: texts,
      method: texts,
      id: fc.constantFrom('a', 'b', 'c', 'd', '</script>'),
      parent: fc.constantFrom(null, 'a', 'b', 'nobody'),
      status: fc.constantFrom('ok', 'error', 'timeout', 'pending'),
      error: texts,
    }),
    { maxLength: 14 },
  )
  const hostile = fc.sample(entries, { numRuns: 12, seed: 7 }) as unknown as Entry[][]
  const { tab, said } = await open(hostile.map((all) => callTree(all)))
  for (let index = 1; index <= hostile.length; index++) {
    for (const view of ['waterfall', 'flame', 'tree', 'table']) {
      await tab.evaluate(`location.hash = 'v=${view}&t=${index}'`)
      for (const key of 'jcew') await tab.keyboard.press(key)
      const shown = await tab.locator('main .scroller').count()
      assert.equal(shown, 1, `${view} of ${index}`)
      assert.ok((await tab.innerText('.verdict')).length > 5)
    }
  }
  assert.deepEqual(said, [])
})

test('fifty thousand calls open, scroll, zoom and are searched', { skip: NO_BROWSER }, async () => {
  const calls = Array.from({ length: 50_000 }, (_, index) => {
    return [`store_${index % 40}.get_${index % 97}`, index * 0.02 + (index % 7), 1.5] as const
  })
  const { tab, said } = await open([tree(calls)])
  assert.equal(await tab.getAttribute('[role=treegrid]', 'aria-rowcount'), '50001')
  // Only what is in view exists.
  assert.ok((await tab.locator('[role=row]').count()) < 60)
  await tab.evaluate("document.querySelector('.scroller').scrollTop = 1e9")
  await tab.waitForTimeout(100)
  assert.equal(await tab.locator('[role=row]').last().getAttribute('aria-rowindex'), '50001')
  await tab.keyboard.press('2')
  for (const key of 'wwwwdd') await tab.keyboard.press(key)
  await tab.keyboard.press('/')
  await tab.keyboard.type('store_7 get_33')
  await tab.waitForTimeout(200)
  assert.ok(Number((await tab.innerText('.count')).split(' ').at(-1)) > 5)
  assert.deepEqual(said, [])
})

test('it can be used at 360 pixels', { skip: NO_BROWSER }, async () => {
  const { tab } = await open([tree(SHOP), tree(SHOP)])
  await tab.setViewportSize({ width: 360, height: 740 })
  for (const view of ['1', '2', '3', '4']) {
    await tab.keyboard.press(view)
    await tab.waitForTimeout(60)
    const [wide, high] = await tab.evaluate<number[]>(
      "[document.documentElement.scrollWidth, document.querySelector('main').clientHeight]",
    )
    assert.ok(wide! <= 360, `view ${view} is ${wide} wide`)
    assert.ok(high! >= 180, `view ${view} is ${high} high`)
  }
})

test('no rule of accessibility is broken, in either theme', { skip: NO_BROWSER }, async () => {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const { tab } = await open([tree(SHOP), tree(SHOP)])
  await tab.evaluate(axe)
  for (const colorScheme of ['light', 'dark'] as const) {
    // A colour on its way to another has the contrast of neither.
    await tab.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const view of ['1', '2', '3', '4']) {
      for (const key of [view, 'e']) await tab.keyboard.press(key)
      await tab.waitForTimeout(60)
      const broken = await tab.evaluate<string[]>(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
      )
      assert.deepEqual(broken, [], `${colorScheme} ${view}`)
    }
  }
})
