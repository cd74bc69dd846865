import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTree } from 'clew/trace'
import { PictureTooLargeError, renderPng } from './png.ts'
import { checkout, wide } from './samples/traces.ts'

function sizeOf(png: Uint8Array): readonly [number, number] {
  const view = new DataView(png.buffer, png.byteOffset)
  assert.equal(view.getUint32(0), 0x89504e47)
  return [view.getUint32(16), view.getUint32(20)]
}

function page(family: string, weight: number, text: string): string {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="30">' +
    `<text x="5" y="20" font-family="${family}" font-weight="${weight}">${text}</text></svg>`
  )
}

test('text leaves ink in every bundled font: without a font it would vanish silently', async () => {
  const blank = Buffer.from(await renderPng(page('Inter', 400, '')))
  const drawn: Buffer[] = [blank]
  for (const [family, weight] of [
    ['Inter', 400],
    ['Inter', 500],
    ['Inter', 600],
    ['Inter', 700],
    ['JetBrains Mono', 400],
  ] as const) {
    const png = Buffer.from(await renderPng(page(family, weight, 'Clew 123')))
    for (const other of drawn) assert.notDeepEqual(png, other, `${family} ${weight}`)
    drawn.push(png)
  }
})

test('a character without a glyph leaves a box, not nothing', async () => {
  const [nothing, chinese, box] = await Promise.all(
    ['', '决', '□'].map(async (text) => Buffer.from(await renderPng(page('Inter', 400, text)))),
  )
  assert.notDeepEqual(chinese, nothing)
  assert.deepEqual(chinese, box)
})

test('a trace is drawn at twice its size unless told otherwise', async () => {
  const tree = callTree(checkout())
  const [wide2, high2] = sizeOf(await renderPng(tree))
  const [wide1, high1] = sizeOf(await renderPng(tree, { scale: 1 }))
  assert.deepEqual([wide2, high2], [wide1 * 2, high1 * 2])
  assert.ok(sizeOf(await renderPng(tree, { scale: 1, view: 'waterfall' }))[0] === 1480)
})

test('what is too large is made smaller, which is told, or refused', async () => {
  const tree = callTree(checkout())
  const notices: string[] = []
  const options = { maxPixels: 2_500_000, onNotice: (notice: string) => notices.push(notice) }
  const [width, height] = sizeOf(await renderPng(tree, options))
  assert.ok(width * height <= 2_520_000)
  assert.match(notices.join(), /instead of 2 times its size/)
  await assert.rejects(renderPng(tree, { maxPixels: 100_000 }), (error: unknown) => {
    assert.ok(error instanceof PictureTooLargeError)
    assert.match(error.message, /too large.*SVG.*maxCards/)
    return true
  })
})

test('ten thousand calls become a picture', async () => {
  const [width, height] = sizeOf(await renderPng(callTree(wide(10_000)), { scale: 1 }))
  assert.ok(width > 500 && height > 5000)
})

test('what has no size is refused', async () => {
  await assert.rejects(renderPng('<svg/>'), TypeError)
  await assert.rejects(renderPng('no picture'), TypeError)
})
