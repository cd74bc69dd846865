import assert from 'node:assert/strict'
import { onEachBroker, wholeTree } from '../on-each-broker.ts'
import { outline, went } from '../outline.ts'
import { LeafService, RootService } from './services.ts'

const services = () => [LeafService, RootService]

for (const count of [1, 10, 1000]) {
  for (const method of ['one_by_one', 'all_at_once'] as const) {
    onEachBroker(`a fan-out to ${count} leaves, ${method}`, services, async (cluster) => {
      const { result, trace } = await cluster.traced<RootService>('fan_out_root')[method](count)
      assert.equal(result, ((count - 1) * count * (2 * count - 1)) / 6)
      const tree = wholeTree(trace)
      assert.equal(tree.calls, count + 1)
      const leaves = Array.from({ length: count }, () => went('fan_out_leaf.process_item'))
      assert.deepEqual(outline(tree.root), went(`fan_out_root.${method}`, leaves))
    })
  }
}
