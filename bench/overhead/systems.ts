import { type Broker, type Cluster, connect, type Delivery, type Plugin, rpc } from 'clew'
import { profile, type Sink, traced } from 'clew/profile'
import type { Trace } from 'clew/trace'

export type SystemKey = 'off' | 'control' | 'installed' | 'traced' | 'kept'

/** One way to profile the same service, or not to. */
export interface System {
  readonly key: SystemKey
  /** For a table. */
  readonly title: string
  /** Whether every call's trace comes home. */
  readonly keepsTraces: boolean
  readonly servicePlugins: () => readonly Plugin[]
  readonly open: (broker: Broker, service: string, delivery: Delivery) => Promise<Client>
}

/** Who calls the service of one system. */
export interface Client extends AsyncDisposable {
  /** One call, until its result is there, and what else the system waits for. */
  call(): Promise<string>
  /** Calls and traces that came home so far, and the last of these. */
  readonly home: Home
}

export interface Home {
  calls: number
  traces: number
  last: Trace | undefined
}

const NAME = 'Ada of Lovelace 1'

/** What is called: it does next to nothing, so that ratios are the worst that services can see. */
export class Greeting {
  @rpc async hello(name: string): Promise<string> {
    return `Hello, ${name}`
  }
}

export const RIGHT_ANSWER = `Hello, ${NAME}`

export const SYSTEMS: readonly System[] = [
  { key: 'off', title: 'off', keepsTraces: false, servicePlugins: () => [], open: openPlain },
  {
    key: 'control',
    title: 'off, again',
    keepsTraces: false,
    servicePlugins: () => [],
    open: openPlain,
  },
  {
    key: 'installed',
    title: 'installed, nobody traces',
    keepsTraces: false,
    servicePlugins: () => [profile()],
    open: (broker, service, delivery) => openWith(broker, service, delivery, [profile()]),
  },
  {
    key: 'traced',
    title: 'every call by `traced`',
    keepsTraces: true,
    servicePlugins: () => [profile()],
    open: openTraced,
  },
  {
    key: 'kept',
    title: 'every call to a sink',
    keepsTraces: true,
    servicePlugins: () => [profile()],
    open: openKept,
  },
]

export function systemOf(key: SystemKey): System {
  return SYSTEMS.find((system) => system.key === key)!
}

async function openPlain(broker: Broker, service: string, delivery: Delivery): Promise<Client> {
  const cluster = await connect(broker, { delivery, attachments: false })
  return clientOf(cluster, service, nothing())
}

async function openWith(
  broker: Broker,
  service: string,
  delivery: Delivery,
  use: readonly Plugin[],
  home = nothing(),
): Promise<Client> {
  return clientOf(await connect(broker, { delivery, use }), service, home)
}

function clientOf(cluster: Cluster, service: string, home: Home): Client {
  const greeting = cluster.proxy<Greeting>(service)
  return {
    // As those of `traced` do below, whoever calls does something with the result.
    call: async () => {
      const result = await greeting.hello(NAME)
      home.calls++
      return result
    },
    home,
    [Symbol.asyncDispose]: () => cluster.close(),
  }
}

async function openTraced(broker: Broker, service: string, delivery: Delivery): Promise<Client> {
  const cluster = await connect(broker, { delivery })
  const greeting = traced(cluster.proxy<Greeting>(service))
  const home = nothing()
  return {
    call: async () => {
      const { result, trace } = await greeting.hello(NAME)
      home.calls++
      home.traces++
      home.last = trace
      return result
    },
    home,
    [Symbol.asyncDispose]: () => cluster.close(),
  }
}

async function openKept(broker: Broker, service: string, delivery: Delivery): Promise<Client> {
  const home = nothing()
  const none = async () => {}
  const sink: Sink = {
    take(trace) {
      home.traces++
      home.last = trace
    },
    flush: none,
    close: none,
    counts: { taken: 0, written: 0, dropped: 0 },
  }
  return openWith(broker, service, delivery, [profile({ sink })], home)
}

function nothing(): Home {
  return { calls: 0, traces: 0, last: undefined }
}
