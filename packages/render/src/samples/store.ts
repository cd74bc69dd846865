import { type CallTree, callTree } from 'clew/trace'
import { type CallSpec, traceOf } from './spec.ts'

/** Numbers from 0 to 1 that are the same everywhere. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

type Step = Pick<CallSpec, 'name' | 'edge' | 'presence'> & {
  readonly ms: number
  readonly steps?: readonly Step[]
}

const db = (statement: string, ms: number): Step => ({
  ...{ name: `orders.db.${statement}`, ms, edge: 'down', presence: '1001' },
})
const cache = (command: string, ms: number): Step => ({
  ...{ name: `products.cache.${command}`, ms, edge: 'down', presence: '1001' },
})

const LIST: Step = {
  ...{ name: 'products.list', ms: 1.2 },
  steps: [cache('KEYS products:*', 0.9), cache('PIPELINE HGETALL products:*', 2.1)],
}

/** The online store's four types of request: what each does, one after the other, and how long it takes. */
const REQUESTS: readonly Step[] = [
  {
    ...{ name: 'gateway.GET /products/{product_id}', ms: 1.4 },
    steps: [{ name: 'products.get', ms: 0.8, steps: [cache('HGETALL products:*', 0.9)] }],
  },
  {
    ...{ name: 'gateway.POST /products', ms: 1.8 },
    steps: [{ name: 'products.create', ms: 1, steps: [cache('HSET products:* *', 1.1)] }],
  },
  {
    ...{ name: 'gateway.GET /orders/{order_id}', ms: 2.2 },
    steps: [
      {
        ...{ name: 'orders.get_order', ms: 1.6 },
        steps: [db('SELECT * FROM orders WHERE id = $1', 3.4)],
      },
      LIST,
      { name: 'images.sign', ms: 2.5, presence: '1001' },
    ],
  },
  {
    ...{ name: 'gateway.POST /orders', ms: 3 },
    steps: [
      LIST,
      {
        ...{ name: 'orders.create_order', ms: 2.8 },
        steps: [
          db('BEGIN', 0.6),
          db('INSERT INTO orders VALUES ($1, $2)', 3.2),
          db('INSERT INTO order_details VALUES ($1, $2, $3)', 4.1),
          db('COMMIT', 5.5),
          { name: 'orders.events.order_created', ms: 1.5, edge: 'event', presence: '1001' },
        ],
      },
    ],
  },
]

function specOf(step: Step, at: number, next: () => number, isRoot = false): CallSpec {
  const slow = next() < 0.03 ? 6 : 1
  const own = step.ms * (0.6 + next() * 0.8) * slow
  const steps = step.steps ?? []
  const way = step.edge === undefined && !isRoot ? 0.5 + next() : 0
  const share = own / (steps.length + 1)
  let begin = at + way / 2 + share
  const calls = steps.map((inner) => {
    const spec = specOf(inner, begin, next)
    begin += spec.total + share
    return spec
  })
  const handle = begin - at - way / 2
  const { name, edge, presence = isRoot ? '0110' : '1111' } = step
  return { name, at, total: handle + way, handle, calls, presence, ...(edge && { edge }) }
}

/** Call trees of the online store's requests: `count` of each type. */
export function storeTrees(count: number): readonly CallTree[] {
  const next = numbers(7)
  return REQUESTS.flatMap((request) =>
    Array.from({ length: count }, () => callTree(traceOf(specOf(request, 0, next, true)))),
  )
}
