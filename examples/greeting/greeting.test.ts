import assert from 'node:assert/strict'
import { onEachBroker, wholeTree } from '../on-each-broker.ts'
import { outline, went } from '../outline.ts'
import { GreetingService, IdService } from './services.ts'

onEachBroker(
  'a greeting asks for an id',
  () => [IdService, GreetingService],
  async (cluster) => {
    const { result, trace } = await cluster.traced<GreetingService>('greeting_service').hello('Ada')
    assert.match(result, /^Hello, Ada with id \d+$/)
    assert.deepEqual(
      outline(wholeTree(trace).root),
      went('greeting_service.hello', [went('id_service.getId')]),
    )
  },
)
