import assert from 'node:assert/strict'

/** @throws AssertionError unless every element that is opened is closed, in the right order */
export function assertWellFormed(svg: string): void {
  const open: string[] = []
  for (const [, close, name, selfClosed] of svg.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
    if (close === '/') assert.equal(open.pop(), name)
    else if (selfClosed === '') open.push(name!)
  }
  assert.deepEqual(open, [])
}
