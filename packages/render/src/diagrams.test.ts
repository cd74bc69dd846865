/** Diagrams as the programs of others read them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instance } from '@viz-js/viz'
import { serviceMap } from 'clew/trace'
import fc from 'fast-check'
import { chooseMap, renderMapDot } from './map.ts'
import { trees } from './samples/random.ts'
import { visible } from './visible.ts'

const systems = fc.array(trees(30), { minLength: 1, maxLength: 5 }).map(serviceMap)

interface Drawn {
  readonly name: string
  readonly label: string
}

interface Graph {
  readonly objects?: readonly Drawn[]
  readonly edges?: readonly { readonly tail: number; readonly head: number }[]
}

test('Graphviz reads every place with its name, and every link, whatever the names', async () => {
  const graphviz = await instance()
  fc.assert(
    fc.property(systems, (map) => {
      const { output, errors } = graphviz.render(renderMapDot(map), { format: 'json0' })
      // It warns of characters whose width its font does not tell.
      const faults = errors.filter(({ level }) => level !== 'warning')
      assert.deepEqual(faults, [])
      const { objects = [], edges = [] } = JSON.parse(output ?? '') as Graph
      const { places, links } = chooseMap(map)
      const labels = objects.map(({ label }) => label)
      // Graphviz keeps the source of a label, in which `\\` stands for a backslash.
      assert.deepEqual(
        labels,
        places.map(({ name }) => visible(name).replaceAll('\\', '\\\\')),
      )
      const ids = places.map(({ id }) => id)
      assert.deepEqual(
        edges.map(({ tail, head }) => [ids[tail], ids[head]]).sort(),
        links.map(({ from, to }) => [from, to]).sort(),
      )
    }),
    { numRuns: 60 },
  )
})
