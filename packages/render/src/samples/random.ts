import type { CallTree, Edge, Status } from 'clew/trace'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import { type CallSpec, traceOf } from './spec.ts'

/** Names as peers might choose them, to please or to harm. */
export const names = fc.oneof(
  fc.constantFrom('orders', 'stock', 'payments', 'мир', '决算'),
  fc.string({ unit: 'binary', maxLength: 24 }),
  fc.constantFrom('</text><script>', ']]>', '&#0;', '\ud800', '\x1b[2J', '\u202e', '\ufffe', '"\''),
)

/** Methods of which several look alike, and some like nothing. */
const kinds = fc.record({
  service: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c') },
    { weight: 1, arbitrary: names },
  ),
  method: fc.constantFrom('get', 'list', 'put'),
  total: fc.double({ min: 0, max: 50, noNaN: true }),
  parent: fc.nat(),
  status: fc.constantFrom<Status>('ok', 'ok', 'ok', 'ok', 'ok', 'error', 'timeout', 'lost'),
  edge: fc.constantFrom<Edge>('call', 'call', 'call', 'event', 'down', 'next'),
  presence: fc.constantFrom('1111', '1111', '1111', '1001', '1100', '1000', '0110'),
})

/** Trees of up to `most` calls, wide or deep, with all that can become of a call. */
export function trees(most: number): fc.Arbitrary<CallTree> {
  return fc
    .record({ calls: fc.array(kinds, { maxLength: most }), deep: fc.boolean(), root: names })
    .map(({ calls, deep, root }) => {
      const specs: (CallSpec & { calls: CallSpec[] })[] = [
        { name: `${root.replaceAll('.', '')}.run`, at: 0, total: 100, calls: [] },
      ]
      for (const { parent, service, method, ...rest } of calls) {
        const under = deep
          ? specs.at(-1 - (parent % Math.min(2, specs.length)))!
          : specs[parent % specs.length]!
        const name = `${service.replaceAll('.', '')}.${method}`
        const spec = { ...rest, name, at: under.at + 0.5, calls: [] }
        under.calls.push(spec)
        specs.push(spec)
      }
      return callTree(traceOf(specs[0]!))
    })
}
