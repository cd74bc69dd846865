import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type CallRecord, encodeBatch, encodePacket, Log } from 'clew/trace/blocks'
import fc from 'fast-check'
import { createToken } from './access/token-file.ts'
import { tokenGate } from './access/token-gate.ts'
import { type Collector, createCollector } from './collector.ts'
import { parseFilter } from './filter/index.ts'
import type { Parameter, Route } from './http/route.ts'
import { embeddedStore } from './store/embedded-store.ts'
import { memoryStore } from './store/memory-store.ts'
import { type Question, type TraceStore, traceKey } from './store/trace-store.ts'

/**
 * Two tenants of one collector, and one of them alone on another: whatever the other one does, the
 * first must not be able to tell the two collectors apart.
 */
const TENANTS = ['shop-7c1', 'rival-e02'] as const
type Tenant = (typeof TENANTS)[number]

/** Tell of all tenants together, which is what they are for; names must not stand there even so. */
const OF_ALL: readonly string[] = ['/metrics', '/healthz', '/api/openapi.json']
const CANARY = { 'shop-7c1': 'shopcanary', 'rival-e02': 'rivalcanary' } as const

/** Some begin alike, and both tenants use all of them. */
const IDS = ['ab', 'ab', 'abcd', 'ff', '00'].map((start, index) =>
  start.padEnd(31, '5').concat(String(index)),
)

let directory: string
let tokens: Record<Tenant, string>

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-apart-'))
  const file = join(directory, 'tokens.json')
  const make = async (tenant: Tenant) =>
    (await createToken(file, { name: tenant, roles: ['admin'], tenant, lifeMs: undefined })).text
  tokens = { 'shop-7c1': await make('shop-7c1'), 'rival-e02': await make('rival-e02') }
})

after(() => rm(directory, { recursive: true, force: true }))

interface World extends AsyncDisposable {
  readonly collector: Collector
  readonly store: TraceStore
  /** Resolves when so many packets of the trace are counted. */
  settled(tenant: Tenant, traceId: string, packets: number): Promise<void>
  /** What was settled of the tenant before counts no more. */
  forget(tenant: Tenant): void
}

async function open(inner: TraceStore = memoryStore()): Promise<World> {
  const counted = new Map<string, number>()
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'settle') return value.bind(target)
      return async (summaries: Parameters<TraceStore['settle']>[0]) => {
        await target.settle(summaries)
        for (const { tenant, row, packets } of summaries) {
          counted.set(traceKey({ tenant, traceId: row.traceId }), packets)
        }
      }
    },
  })
  const gate = await tokenGate(join(directory, 'tokens.json'))
  const collector = createCollector({ store, gate, quietMs: 0 })
  await collector.start()
  return {
    ...{ collector, store: inner },
    async settled(tenant, traceId, packets) {
      const key = traceKey({ tenant, traceId })
      for (let waited = 0; (counted.get(key) ?? 0) < packets; waited++) {
        assert.ok(waited < 5000, `${key} was not settled`)
        await delay(1)
      }
    },
    forget(tenant) {
      for (const key of counted.keys()) if (key.endsWith(tenant)) counted.delete(key)
    },
    [Symbol.asyncDispose]: () => collector.close(),
  }
}

const T0 = Date.now() - 60_000
let serial = 0

/** A trace of one call and one below it, in which every name says whose it is. */
function packetOf(
  tenant: Tenant,
  traceId: string,
  { index, ended }: { readonly index: number; readonly ended: boolean },
): Uint8Array {
  const canary = CANARY[tenant]
  const callId = (++serial).toString(16).padStart(16, '0')
  const names = { service: `${canary}-service${index % 2}`, method: `${canary}-method` }
  const startUs = (T0 + index * 1000) * 1000
  const owner = { traceId, callId, ...names, host: `${canary}-host`, pid: 7 }
  const log = new Log(owner, startUs + 100)
  const failed = index % 3 === 0
  const ending = failed
    ? ({ status: 'error', error: `${canary}Error` } as const)
    : ({ status: 'ok', error: undefined } as const)
  log.append({
    ...{ id: (++serial).toString(16).padStart(16, '0'), service: `${canary}-below` },
    ...{ method: `${canary}-get`, edge: 'call', seq: 0, attempt: 1, requestUs: startUs + 200 },
    ...{ finishUs: startUs + 500, ...ending },
  })
  const block = log.close({
    ...{ receiveUs: startUs + 100, respondUs: startUs + 900, inFlight: 2, redelivered: false },
    ...{ calls: 1, version: `${canary}-version`, ...ending },
    values: [{ of: 'args', name: `args.${canary}`, text: `${canary}-value` }],
  })
  const record: CallRecord = {
    ...{ id: callId, ...names, edge: 'call', seq: 0, attempt: 1, requestUs: startUs },
    ...{ finishUs: startUs + 1000 + index * 10, ...ending },
  }
  const root = { record, host: `${canary}-client`, pid: 8, block }
  return encodePacket({ traceId, root, pieces: [], ended })
}

function batchOf(tenant: Tenant, id: number, packet: Uint8Array): Uint8Array {
  const name = `${CANARY[tenant]}-sender`
  return encodeBatch({
    // Both tenants count from 0: their ids are the same.
    id: id.toString(16).padStart(32, '0'),
    sender: { name, host: name, pid: 1, instance: 'ab'.repeat(8) },
    ...{ taken: 2, dropped: { [`${CANARY[tenant]}-reason`]: 1 }, packets: [packet] },
  })
}

interface Answer {
  readonly status: number
  readonly text: string
}

async function ask(
  { collector }: World,
  tenant: Tenant,
  method: string,
  url: string,
  body?: Uint8Array | string,
): Promise<Answer> {
  const ended = new AbortController()
  const response = await collector.fetch(
    new Request(`http://collector${url}`, {
      ...{ method, signal: ended.signal },
      // The tail goes on from its beginning.
      headers: { authorization: `Bearer ${tokens[tenant]}`, 'last-event-id': '0' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : body.slice() }),
    }),
  )
  const text = await beginningOf(response)
  ended.abort()
  const foreign = TENANTS.find((other) => other !== tenant)!
  const all = `${text} ${JSON.stringify([...response.headers])}`
  for (const canary of [CANARY[foreign], foreign]) {
    assert.ok(!all.includes(canary), `${method} ${url} told ${tenant} of ${canary}: ${all}`)
  }
  return { status: response.status, text }
}

/** The whole of an answer, but of those that never end what comes at once. */
async function beginningOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return await response.text()
  }
  const reader = response.body!.getReader()
  let text = ''
  const enough = delay(30, undefined)
  for (;;) {
    const next = await Promise.race([reader.read(), enough])
    if (next === undefined || next.done) break
    text += new TextDecoder().decode(next.value)
  }
  await reader.cancel()
  return text
}

/** What differs between two collectors however alike they are. */
function comparable({ status, text }: Answer): string {
  const volatile =
    /"(?:cursor|tookMs|requestId|bytes|arrivedMs|atMs|uptimeMs|firstMs|lastMs)":(?:"[^"]*"|[\d.]+),?/gu
  return `${status} ${text.replace(volatile, '')}`
}

const PERIOD = { fromMs: T0 - 3_600_000, toMs: T0 + 3_600_000 }
const NAMED = ['service', 'method', 'host', 'type'] as const

type OfStore = (store: TraceStore, tenant: Tenant, picks: readonly number[]) => Promise<unknown>

/** What a store is asked by whoever asks for a tenant. */
const OF_STORES: readonly OfStore[] = [
  (store, tenant, picks) => store.find({ ...asked(tenant, picks), limit: 1 + (picks[1]! % 4) }),
  (store, tenant, picks) => store.find({ ...asked(tenant, picks), limit: 50, order: 'slowest' }),
  (store, tenant, picks) => store.count(asked(tenant, picks)),
  (store, tenant, picks) => store.statistics(asked(tenant, picks)),
  (store, tenant, picks) => store.breakdown(asked(tenant, picks)),
  (store, tenant, picks) => store.links(asked(tenant, picks)),
  (store, tenant, picks) => store.timeline(asked(tenant, picks), 60_000),
  (store, tenant, picks) => store.idsWith(tenant, IDS[picks[0]! % IDS.length]!.slice(0, 2), 9),
  (store, tenant, picks) => store.names(tenant, NAMED[picks[0]! % NAMED.length]!, PERIOD, 9),
  (store, tenant) => store.usage(tenant),
  async (store, tenant) => {
    const kept = await store.packets(IDS.map((traceId) => ({ tenant, traceId })))
    return [...kept].map(([key, all]) => [
      key,
      all.map((one) => Buffer.from(one).toString('latin1')),
    ])
  },
  async (store, tenant) => [...(await store.settled(IDS.map((traceId) => ({ tenant, traceId }))))],
]

function asked(tenant: Tenant, picks: readonly number[]): Question {
  const filters = filtersOf(tenant)
  return { tenant, period: PERIOD, filter: parseFilter(filters[picks[0]! % filters.length]!) }
}

const filtersOf = (tenant: Tenant) => [
  ...['', 'service:*canary*', `service:${CANARY[tenant]}-service0`, 'status:error', '-status:ok'],
  ...['zz', `@args.${CANARY[tenant]}:*`, 'total:>1ms', 'id:ab', 'failed:true'],
]

/** Whatever the other tenant does, a store answers the same to this one. */
async function askStores(worlds: readonly World[], { tenant, picks }: Step): Promise<void> {
  const question = OF_STORES[picks[7]! % OF_STORES.length]!
  const answers = await Promise.all(worlds.map(({ store }) => question(store, tenant, picks)))
  const told = JSON.stringify(answers[0])
  const foreign = TENANTS.find((other) => other !== tenant)!
  for (const canary of [CANARY[foreign], foreign]) assert.ok(!told.includes(canary), told)
  if (answers.length > 1) assert.deepEqual(answers[0], answers[1], question.toString())
}

const cursorOf = ({ text }: Answer) => /"cursor":"([^"]+)"/u.exec(text)?.[1]

/** What parameters may be, so that much is found and much is tried. */
function valuesOf(
  { name, schema }: Parameter,
  tenant: Tenant,
  cursors: readonly string[],
): string[] {
  const own = CANARY[tenant]
  const { enum: words } = schema as { readonly enum?: string[] }
  if (words !== undefined) return words
  if (name === 'id') return [...IDS, 'ab', 'abcd', 'ab55555', 'ffff', 'zz', `${'0'.repeat(31)}9`]
  if (/(?:^|-)from$/u.test(name)) return [new Date(T0 - 3_600_000).toISOString()]
  if (/(?:^|-)to$/u.test(name)) return [new Date(T0 + 3_600_000).toISOString()]
  if (name === 'cursor') return [...cursors, 'x']
  if (name === 'limit') return ['1', '2', '50']
  if (name === 'buckets') return ['5', '60', '0']
  if (['filter', 'against', 'a', 'b'].includes(name)) return filtersOf(tenant)
  return ['1', 'service', '60000', '10s', own]
}

interface Step {
  readonly tenant: Tenant
  readonly kind: 'send' | 'ask' | 'store'
  readonly route: number
  readonly picks: readonly number[]
}

const KINDS = ['send', 'send', 'ask', 'ask', 'ask', 'store'] as const

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    tenant: fc.constantFrom(...TENANTS),
    kind: fc.constantFrom(...KINDS),
    route: fc.nat(),
    picks: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
  }),
  { minLength: 20, maxLength: 60 },
)

/** A request of a route; its cursor is a place in the list of those that were told. */
function urlOf(
  { path, parameters = [] }: Route,
  { tenant, picks }: Step,
  cursors: readonly string[],
): string {
  let url = path
  const query = new URLSearchParams()
  parameters.forEach((parameter, at) => {
    const pick = picks[at % picks.length]!
    const needed = parameter.in === 'path' || parameter.required || isTime(parameter)
    if (!needed && pick % 3 === 0) return
    if (parameter.name === 'cursor' && cursors.length === 0) return
    const values = valuesOf(parameter, tenant, cursors)
    const value = values[pick % values.length]!
    if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, value)
    else query.set(parameter.name, value)
  })
  return `${url}?${query}`
}

const isTime = ({ name }: Parameter) => /(?:^|-)(?:from|to)$/u.test(name)

async function play(
  shared: World,
  alone: World | undefined,
  sequence: readonly Step[],
): Promise<void> {
  const sent = new Map<string, number>()
  const batches: Record<Tenant, number> = { 'shop-7c1': 0, 'rival-e02': 0 }
  /** Pages that were told to either tenant; of the one that is alone, with those of the other collector. */
  const cursors: { shared: string; alone: string }[] = []
  const worldsOf = (tenant: Tenant) =>
    alone !== undefined && tenant === TENANTS[0] ? [shared, alone] : [shared]
  const send = async (tenant: Tenant, picks: readonly number[]) => {
    const worlds = worldsOf(tenant)
    const traceId = IDS[picks[0]! % IDS.length]!
    const key = `${tenant} ${traceId}`
    const count = (sent.get(key) ?? 0) + 1
    sent.set(key, count)
    const packet = packetOf(tenant, traceId, { index: picks[1]! % 50, ended: picks[3]! % 2 === 0 })
    const bytes = batchOf(tenant, batches[tenant]++, packet)
    const answers = await Promise.all(
      worlds.map((world) => ask(world, tenant, 'POST', '/v1/batches', bytes)),
    )
    assert.deepEqual(JSON.parse(answers[0]!.text), { stored: 2, duplicates: 0, rejected: {} })
    await Promise.all(worlds.map((world) => world.settled(tenant, traceId, count)))
  }
  const routes = shared.collector.routes.filter(({ path }) => !path.startsWith('/v1/'))
  for (const step of sequence) {
    const { tenant, picks } = step
    const worlds = worldsOf(tenant)
    if (step.kind === 'store') {
      await askStores(worlds, step)
      continue
    }
    if (step.kind === 'send' || routes.length === 0) {
      // Now and then both at once, of one trace id.
      const senders = picks[2]! % 2 === 0 ? [tenant] : TENANTS
      await Promise.all(senders.map((sender) => send(sender, picks)))
      continue
    }
    const route = routes[step.route % routes.length]!
    if (route.method === 'DELETE') {
      for (const key of sent.keys()) if (key.startsWith(tenant)) sent.delete(key)
      for (const world of worlds) world.forget(tenant)
    }
    const asking = (world: World) => {
      const known = cursors.map((cursor) => (world === shared ? cursor.shared : cursor.alone))
      return ask(world, tenant, route.method, urlOf(route, step, known))
    }
    let answers = await Promise.all(worlds.map(asking))
    if (OF_ALL.includes(route.path)) continue
    const [one, other] = answers
    const shown = urlOf(
      route,
      step,
      cursors.map((cursor) => cursor.shared),
    )
    if (other !== undefined && comparable(one!) !== comparable(other)) {
      // Answers are remembered for a second, which may have ended between the two.
      await delay(1100)
      answers = await Promise.all(worlds.map(asking))
      assert.equal(comparable(answers[0]!), comparable(answers[1]!), `${route.method} ${shown}`)
    }
    const [mine, its] = answers.map(cursorOf)
    if (mine !== undefined) cursors.push({ shared: mine, alone: its ?? mine })
  }
}

test('no tenant can tell that there is another', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      await using shared = await open()
      await using alone = await open()
      await play(shared, alone, sequence)
    }),
    { numRuns: process.env.CLEW_NIGHTLY === '1' ? 500 : 20 },
  )
})

test('nor does the embedded store tell any of another', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const folder = await mkdtemp(join(directory, 'store-'))
      await using shared = await open(await embeddedStore(folder))
      await play(shared, undefined, sequence.slice(0, 30))
    }),
    { numRuns: process.env.CLEW_NIGHTLY === '1' ? 50 : 1 },
  )
})
