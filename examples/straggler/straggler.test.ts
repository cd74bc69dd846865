import assert from 'node:assert/strict'
import { onEachBroker, wholeTree } from '../on-each-broker.ts'
import { outline, went } from '../outline.ts'
import { type Leaf, leafName, straggler } from './services.ts'

for (const options of [{}, { leaves: 4, slow: 1, byMs: 30 }]) {
  const { leaves = 10 } = options
  onEachBroker(
    `one of ${leaves} leaves is slow`,
    () => straggler(options),
    async (cluster) => {
      const { result, trace } = await cluster.traced<Leaf>('straggler_root').search('tree')
      assert.equal(result, 4 * leaves)
      const asked = Array.from({ length: leaves }, (_, index) =>
        went(`${leafName(index + 1)}.search`),
      )
      assert.deepEqual(outline(wholeTree(trace).root), went('straggler_root.search', asked))
    },
  )
}
