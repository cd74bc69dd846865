import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { withOptions } from 'clew'
import { traced } from 'clew/profile'
import { eventually } from 'clew/testing'
import { type CallNode, callTree, type Trace } from 'clew/trace'
import {
  eventQueues,
  eventServices,
  eventsReplica,
  failingReplica,
  type PythonEvents,
  type Shop,
  Tally,
} from './typescript-events.ts'
import type { SeenByPython } from './typescript-services.ts'
import { namekos, type World, worldFor } from './world.ts'

for (const nameko of await namekos()) {
  describe(`events between both languages (${nameko.name})`, { skip: nameko.skip }, () => {
    const world = worldFor(nameko, ['Events'])
    const tally = new Tally()
    before(async () => {
      const { Shop, Bookkeeper } = eventServices(world.prefix, tally)
      world.forgets(eventQueues(world.prefix))
      await world.run([Shop, Bookkeeper], true)
    })
    fromTypescript(world)
    fromPython(world, tally)
    rawMessages(world, tally)
    inOneTree(world)
    sharedQueues(world, tally)
  })
}

function shopOf(world: World) {
  return world.cluster.proxy<Shop>(world.name('shop'))
}

function pythonOf(world: World) {
  return world.cluster.proxy<PythonEvents>(world.name('events'))
}

/** Waits until Python's handler has taken so many. */
async function handledByPython(world: World, handler: string, count: number) {
  return await eventually(async () => {
    const list = await pythonOf(world).tally(handler)
    assert.equal(list.length, count, handler)
    return list
  })
}

function fromTypescript(world: World): void {
  it('come from TypeScript to Python, to handlers of every type, with their context', async () => {
    const caller = withOptions(shopOf(world), { context: { user_id: '7', language: 'de' } })
    await caller.create({ id: 1 })
    await world.cluster.dispatch(world.name('shop'), 'order_created', { id: 2, text: 'größe ☂' })
    const orders = [{ id: 1 }, { id: 2, text: 'größe ☂' }]
    for (const handler of ['pool', 'singleton', 'broadcast', 'unreliable']) {
      assert.deepEqual(await handledByPython(world, handler, 2), orders)
    }
    const [one, two] = (await handledByPython(world, 'context', 2)) as SeenByPython[]
    const { traceparent: _, ...context } = one!.context
    const { call_id_stack: stack, ...values } = context
    assert.deepEqual(values, { user_id: '7', language: 'de' })
    assert.deepEqual(names(stack as string[]), [
      'standalone_rpc_proxy.call',
      `${world.name('shop')}.create`,
      `${world.name('events')}.context`,
    ])
    assert.deepEqual(
      Object.keys(two!.context),
      ['call_id_stack'],
      'as from Nameko outside services',
    )
  })
}

function names(stack: readonly string[]): readonly string[] {
  return stack.map((id) => id.split('.').slice(0, 2).join('.'))
}

function fromPython(world: World, tally: Tally): void {
  it('come from Python to TypeScript, to handlers of every type, with their context', async () => {
    await withOptions(pythonOf(world), { context: { user_id: '7' } }).send('noted', { n: [1, 'ä'] })
    await eventually(() => {
      for (const handler of ['pool', 'singleton', 'broadcast']) {
        assert.deepEqual(tally.of(handler), [{ n: [1, 'ä'] }])
      }
    })
    const [seen] = tally.of('context') as { user: string; stack: string[] }[]
    assert.equal(seen!.user, '7')
    assert.deepEqual(names(seen!.stack), [
      'standalone_rpc_proxy.call',
      `${world.name('events')}.send`,
      `${world.name('bookkeeper')}.pool`,
    ])
  })

  it('come from a Python program that is no service', async () => {
    const before = tally.of('pool').length
    for (const payload of [null, 'text', 7, [1], 2 ** 40]) {
      await world.caller.dispatch(world.name('events'), 'noted', payload)
    }
    await eventually(() => assert.equal(tally.of('pool').length, before + 5))
    assert.deepEqual(tally.of('pool').slice(before), [null, 'text', 7, [1], 2 ** 40])
  })

  it('are two, though one worker of Python sends the same twice', async () => {
    const before = tally.of('ids').length
    await traced(pythonOf(world)).send_twice('noted', 'again')
    await eventually(() => assert.equal(tally.of('ids').length, before + 2))
    assert.equal(new Set(tally.of('ids')).size, before + 2)
  })

  it('that fail come again and end among the dead, where Python finds them', async () => {
    await pythonOf(world).send('retried', { id: 9 })
    const queue = `dead-evt-${world.name('events')}-retried--${world.name('bookkeeper')}.retried`
    const dead = await eventually(async () => {
      const message = await world.caller.take(queue)
      assert.ok(message !== null)
      return message
    })
    assert.deepEqual(JSON.parse(Buffer.from(dead.body, 'base64').toString()), { id: 9 })
    assert.equal(tally.of('retried').length, 3)
  })

  it('that cannot be read are dropped without a policy, and kept among the dead with one', async () => {
    const python = world.name('events')
    const own = world.name('bookkeeper')
    const before = world.log.length
    const handled = tally.of('pool').length
    await world.caller.put(`evt-${python}-noted--${own}.pool`, '{"broken":')
    await world.caller.put(`evt-${python}-noted--${own}.pool`, 'pickled', 'application/x-python')
    await world.caller.put(`evt-${python}-retried--${own}.retried`, '{"broken":')
    const dead = await eventually(async () => {
      const message = await world.caller.take(`dead-evt-${python}-retried--${own}.retried`)
      assert.ok(message !== null)
      return message
    })
    assert.equal(Buffer.from(dead.body, 'base64').toString(), '{"broken":')
    const told = () =>
      world.log.slice(before).filter(({ message }) => /cannot be read/.test(message))
    await eventually(() => assert.equal(told().length, 3))
    assert.equal(tally.of('pool').length, handled)
    assert.equal(tally.of('retried').length, 3)
  })
}

function rawMessages(world: World, tally: Tally): void {
  it('@consume and Publisher understand each other', async () => {
    await shopOf(world).put('python', { task: 1 })
    assert.deepEqual(await handledByPython(world, 'work', 1), [{ task: 1 }])
    await pythonOf(world).put('typescript', { task: 2 })
    await eventually(() => assert.deepEqual(tally.of('work'), [{ task: 2 }]))
  })
}

type Outline = readonly [string, ...Outline[]]

function outlineIn(world: World, trace: Trace): Outline {
  const outline = (call: CallNode): Outline => {
    const service = call.service.replace(`${world.prefix}_`, '')
    const edge = call.placeholder ? ' (relay)' : call.edge === 'call' ? '' : ` (${call.edge})`
    return [`${service}.${call.method}${edge}`, ...call.calls.map(outline)]
  }
  return outline(callTree(trace).root)
}

function inOneTree(world: World): void {
  it('stay one tree through a handler in Python', async () => {
    // Pieces that come later than 250 ms after the reply would go to a sink, of which there is none.
    await eventually(async () => {
      const { trace } = await traced(shopOf(world)).relay({ id: 5 })
      assert.deepEqual(callTree(trace).problems, [])
      assert.deepEqual(outlineIn(world, trace), [
        'shop.relay',
        [
          'shop.events.order_relayed (event)',
          ['events.relayed (relay)', ['bookkeeper.book'], ['bookkeeper.on order_booked (event)']],
        ],
      ])
    }, 20_000)
  })
}

function sharedQueues(world: World, tally: Tally): void {
  it('that one replica fails at come to the other, and nothing of that is handed on', async () => {
    const running = await world.run([failingReplica(world.prefix, tally)], false)
    const [booked, failed] = [tally.of('booked').length, tally.of('failed').length]
    const ids = Array.from({ length: 20 }, (_, id) => id)
    const shop = world.name('shop')
    await Promise.all(ids.map((id) => world.cluster.dispatch(shop, 'order_relayed', { id })))
    await eventually(() => assert.equal(tally.of('booked').length, booked + ids.length))
    assert.ok(tally.of('failed').length > failed)
    const orders = tally.of('booked').slice(booked) as { id: number }[]
    assert.deepEqual(new Set(orders.map(({ id }) => id)), new Set(ids))
    for (const arrived of tally.of('arrived').slice(booked)) {
      assert.deepEqual(arrived, { attempt: 1, keys: [] })
    }
    await running.stop()
  })

  it('go to one of two replicas, one in each language, that declare the same queue', async () => {
    const before = (await pythonOf(world).tally('pool')).length
    const running = await world.run([eventsReplica(world.prefix, tally)], true)
    const EVENTS = 60
    const shop = world.name('shop')
    const ids = Array.from({ length: EVENTS }, (_, id) => id)
    await Promise.all(ids.map((id) => world.cluster.dispatch(shop, 'order_created', { id })))
    const all = await eventually(async () => {
      const python = (await pythonOf(world).tally('pool')).slice(before)
      const handled = [...python, ...tally.of('replica')] as { id: number }[]
      assert.equal(handled.length, EVENTS)
      return handled
    })
    assert.deepEqual(new Set(all.map(({ id }) => id)), new Set(ids))
    assert.ok(tally.of('replica').length > 0 && tally.of('replica').length < EVENTS)
    await running.stop()
    await world.cluster.dispatch(shop, 'order_created', { id: -1 })
    await handledByPython(world, 'pool', before + EVENTS - tally.of('replica').length + 1)
  })
}
