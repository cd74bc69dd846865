import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallTree } from '../call-node.ts'
import { CallPaths } from './call-paths.ts'
import { seeded } from './chance.ts'
import { compare, type Difference, splitBySpeed } from './index.ts'
import { changed, type Made, type Step, scaled, treeOf } from './made.test.ts'

/** How often each kind of fault is planted; more by the environment. */
const ROUNDS = Number(process.env.CLEW_ROUNDS ?? 40)
const TRACES = 200

type Lot = () => number
type Fault = (call: Made, lot: Lot) => Made

/** Services that call each other, as a lot has it: the same for the same seed. */
interface Plan {
  readonly service: string
  readonly method: string
  readonly workMs: number
  readonly calls: readonly {
    readonly plan: Plan
    readonly along: boolean
    readonly share: number
  }[]
}

function planned(lot: Lot, depth = 0, count = { last: 0 }): Plan {
  const service = `s${count.last++}`
  const width = depth >= 3 ? 0 : 1 + Math.floor(lot() * 3)
  const calls = Array.from({ length: width }, () => ({
    plan: planned(lot, depth + 1, count),
    along: lot() < 0.3,
    share: lot() < 0.25 ? 0.6 : 1,
  }))
  return { service, method: `m${Math.floor(lot() * 2)}`, workMs: 1 + 8 * lot(), calls }
}

const jitter = (lot: Lot) => Math.exp(0.5 * (lot() + lot() + lot() + lot() - 2))

function drawn(plan: Plan, lot: Lot): Made {
  const steps: Step[] = [{ workMs: (plan.workMs / 2) * jitter(lot) }]
  for (const { plan: inner, along, share } of plan.calls) {
    if (lot() >= share) continue
    const last = steps.at(-1)!
    const call = drawn(inner, lot)
    if (along && 'calls' in last) steps[steps.length - 1] = { calls: [...last.calls, call] }
    else steps.push({ calls: [call] })
  }
  steps.push({ workMs: (plan.workMs / 2) * jitter(lot) })
  const { service, method } = plan
  return {
    service,
    method,
    wayMs: 0.3 * jitter(lot),
    steps,
    host: `${service}-${lot() < 0.5 ? 1 : 2}`,
  }
}

function population(plan: Plan, lot: Lot, fault?: Fault, traces = TRACES): CallPaths {
  const paths = new CallPaths()
  for (let index = 0; index < traces; index++) {
    const root = drawn(plan, lot)
    const tree: CallTree = treeOf(
      fault === undefined ? root : changed(root, (call) => fault(call, lot)),
    )
    paths.add(tree)
  }
  return paths
}

function servicesIn({ service, calls }: Plan): string[] {
  return [service, ...calls.flatMap(({ plan }) => servicesIn(plan))]
}

test('two halves of one population do not differ: at most one false alarm in twenty', (t) => {
  let alarms = 0
  const rounds = 3 * ROUNDS
  for (let round = 0; round < rounds; round++) {
    const lot = seeded(1_000 + round)
    const plan = planned(lot)
    const found = compare(population(plan, lot), population(plan, lot))
    if (found.certain) alarms++
    else assert.match(found.sentences[0]!, /no difference .* that could not be chance/)
  }
  t.diagnostic(`${alarms} false alarms in ${rounds} comparisons`)
  // 0.05 * 120 = 6 expected at most; 12 would be seen once in 100 times.
  assert.ok(alarms <= Math.max(2, 0.1 * rounds))
})

const FAULTS: Readonly<Record<string, (service: string) => Fault>> = {
  'slow method': (service) => (call) =>
    call.service === service ? { ...call, steps: [...call.steps, { workMs: 15 }] } : call,
  'method three times as slow': (service) => (call) =>
    call.service === service ? scaled(call, 4) : call,
  'slow in one of four': (service) => (call, lot) =>
    call.service === service && lot() < 0.25
      ? { ...call, steps: [...call.steps, { workMs: 80 }] }
      : call,
  'slow network': (service) => (call) =>
    call.service === service ? { ...call, wayMs: call.wayMs + 8 } : call,
  'errors that pass up': (service) => (call, lot) => {
    if (call.service === service) return lot() < 0.3 ? { ...call, status: 'error' } : call
    const below = call.steps.some(
      (step) => 'calls' in step && step.calls.some(({ status }) => status === 'error'),
    )
    return below ? { ...call, status: 'error' } : call
  },
  'errors after which callers make no more calls': (service) => (call, lot) => {
    if (call.service === service) return lot() < 0.3 ? { ...call, status: 'error' } : call
    const fails = (step: Step) =>
      'calls' in step && step.calls.some(({ status }) => status === 'error')
    const at = call.steps.findIndex(fails)
    return at < 0 ? call : { ...call, status: 'error', steps: call.steps.slice(0, at + 1) }
  },
  'lost entries of the callee': (service) => (call, lot) =>
    call.service === service && lot() < 0.5 ? { ...call, sides: 'caller', steps: [] } : call,
  'calls that are not made': (service) => (call, lot) => ({
    ...call,
    steps: call.steps.map((step) =>
      'calls' in step
        ? { calls: step.calls.filter((inner) => inner.service !== service || lot() < 0.5) }
        : step,
    ),
  }),
}

for (const [name, plant] of Object.entries(FAULTS)) {
  test(`planted and found: ${name}`, (t) => {
    const wrong: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const lot = seeded(2_000 + round)
      const plan = planned(lot)
      const services = servicesIn(plan)
      const culprit = services[1 + Math.floor(lot() * (services.length - 1))]!
      const before = population(plan, lot)
      const found = compare(before, population(plan, lot, plant(culprit)))
      if (found.suspects[0]?.service !== culprit) {
        wrong.push(
          `${round}: ${culprit}, not ${found.suspects[0]?.service} ${JSON.stringify(found.suspects.slice(0, 2))}; ${found.sentences[0]}`,
        )
      }
    }
    t.diagnostic(`${ROUNDS - wrong.length} of ${ROUNDS}: ${name}`)
    for (const line of wrong.slice(0, 5)) t.diagnostic(line)
    assert.ok(wrong.length <= 0.05 * ROUNDS, wrong.join('\n'))
  })
}

const shop = (dbMs: number, lot: Lot, extra: readonly Made[] = []): Made => ({
  ...{ service: 'gateway', method: 'GET /orders', wayMs: 0 },
  steps: [
    { workMs: 5 * jitter(lot) },
    {
      calls: [
        {
          ...{
            service: 'orders',
            method: 'get_order',
            wayMs: 1,
            attributes: { tier: dbMs > 60 ? 'gold' : 'tin' },
          },
          steps: [
            { workMs: 10 * jitter(lot) },
            {
              calls: [
                {
                  ...{ service: 'orders.db', method: 'SELECT', edge: 'down', sides: 'caller' },
                  ...{ wayMs: (dbMs / 2) * jitter(lot), steps: [] },
                },
              ],
            },
          ],
        },
      ],
    },
    ...extra.map((call): Step => ({ calls: [call] })),
  ],
})

function shops(dbMs: (lot: Lot) => number, extra: readonly Made[] = []): CallPaths {
  const lot = seeded(7)
  const paths = new CallPaths()
  for (let index = 0; index < 200; index++) paths.add(treeOf(shop(dbMs(lot), lot, extra)))
  return paths
}

const first = ({ sentences }: Difference) => sentences[0]!

test('the first line answers: how much, where, how sure', () => {
  const found = compare(
    shops(() => 50),
    shops(() => 90),
    { names: ['old', 'new'] },
  )
  assert.match(
    first(found),
    /^new is [34]\d\.?\d* ms \([45]\d %\) slower at the median; (\d+–\d+ %|all) of it in orders\.get_order → orders\.db SELECT\.$/,
  )
  const [top] = found.contributions
  assert.deepEqual(top?.names, ['gateway GET /orders', 'orders.get_order', 'orders.db SELECT'])
  assert.ok(top!.share > 0.9 && top!.shares.low > 0.7)
  const back = compare(
    shops(() => 90),
    shops(() => 50),
  )
  assert.match(first(back), /faster at the median/)
  assert.deepEqual(back.suspects, [])
})

test('a tail, a new path and an attribute are told as such', () => {
  const tail = compare(
    shops(() => 50),
    shops((lot) => (lot() < 0.12 ? 400 : 50)),
  )
  assert.match(first(tail), /slower in the slowest tenth; .*orders\.db SELECT/)
  const audit: Made = { service: 'audit', method: 'write', wayMs: 1, steps: [{ workMs: 9 }] }
  const more = compare(
    shops(() => 50),
    shops(() => 50, [audit]),
  )
  assert.ok(
    more.sentences.some((line) => line === 'Only after calls gateway GET /orders → audit.write.'),
  )
  const [fast, slow] = splitBySpeed(
    shops((lot) => (lot() < 0.1 ? 200 : 50)),
    0.9,
  )
  const split = compare(fast, slow, { names: ['fast', 'slow'] })
  assert.match(first(split), /orders\.db SELECT/)
  assert.equal(split.attributes[0]?.attribute.startsWith('orders tier='), true)
})

test('that other requests use other services is told of the mix, not of their hosts', () => {
  const populationOf = (kinds: readonly string[]) => {
    const population = new CallPaths()
    for (let at = 0; at < 60; at++) {
      const kind = kinds[at % kinds.length]!
      population.add(treeOf({ service: kind, method: 'ask', wayMs: 1, steps: [{ workMs: 9 }] }))
    }
    return population
  }
  const { sentences, attributes } = compare(populationOf(['a', 'b']), populationOf(['b', 'c']))
  assert.match(sentences.join(' '), /The mix of requests differs/)
  assert.deepEqual(attributes, [])
})

test('nothing, one trace and kinds that have nothing in common are answered', () => {
  const none = compare(
    new CallPaths(),
    shops(() => 50),
  )
  assert.match(first(none), /^There is nothing to compare: before has no request/)
  const one = new CallPaths()
  one.add(treeOf(shop(50, seeded(1))))
  assert.equal(compare(one, one).certain, false)
  const other = new CallPaths()
  for (let index = 0; index < 50; index++) {
    other.add(treeOf({ service: 'x', method: 'y', wayMs: 0, steps: [{ workMs: 1 }] }))
  }
  const apart = compare(
    shops(() => 50),
    other,
  )
  assert.equal(apart.total, undefined)
  assert.equal(apart.kinds.length, 2)
})
