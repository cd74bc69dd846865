import { type Broker, type Cluster, connect, type Delivery, type Plugin } from 'clew'
import { profile, traced } from 'clew/profile'
import { type CallTree, callTree, parseTraces } from 'clew/trace'
import { type PaperEntry, paperFormat } from './paper-format.ts'
import { type Hub, hubName, type Link, linkName, type Shape } from './services.ts'

export type SystemKey = 'off' | 'control' | 'paper' | 'paperFirst' | 'clew' | 'spilling'

/** One way to profile the same services, or not to. */
export interface System {
  readonly key: SystemKey
  /** In the names of its services, which are otherwise the same for all systems. */
  readonly letter: string
  /** For a table's head and a line's label. */
  readonly title: string
  /** What exactly runs, for the page. */
  readonly meaning: string
  /** Measured in some rounds only: so far from 1 that fewer suffice, and so slow that more would cost. */
  readonly sparse: boolean
  readonly servicePlugins: (host: string) => readonly Plugin[]
  readonly open: (broker: Broker, options: ClientOptions) => Promise<Client>
}

export interface ClientOptions {
  readonly letter: string
  readonly delivery: Delivery
  /** Innermost, behind the profiler. */
  readonly plugins: readonly Plugin[]
}

/** The client of one system. */
export interface Client extends AsyncDisposable {
  /** Calls, and waits until the result and the whole trace are in its hands. */
  call(shape: Shape, size: number): Promise<Answer>
}

export interface Answer {
  readonly result: number
  /** The trace as a tree, built when asked for; undefined where nothing is profiled. */
  readonly tree: (() => CallTree) | undefined
}

/** Small enough that a worker sends what it holds to the root's inbox after about ten calls. */
const SPILLING_BUDGET = 1024

/** As long as the names of the services' hosts, so that sizes do not depend on the machine. */
const CLIENT_HOST = 'bench-host-0'

export const SYSTEMS: readonly System[] = [
  {
    key: 'off',
    letter: 'o',
    title: 'off',
    meaning: 'no profiler installed, neither at the services nor at the client',
    sparse: false,
    servicePlugins: () => [],
    open: openUntraced,
  },
  {
    key: 'control',
    letter: 'a',
    title: 'off, again',
    meaning: 'once more the same, in processes of its own: how far it is from 1 is noise',
    sparse: false,
    servicePlugins: () => [],
    open: openUntraced,
  },
  {
    key: 'paper',
    letter: 'p',
    title: 'paper’s format',
    meaning:
      'four entries a call with five keys each (`host`, `service`, `method`, `id`, and the kind of the entry as the key of its time), an AMQP array of tables in a header of the reply; every hop reads the entries of the calls it made and writes them again behind its own',
    sparse: true,
    servicePlugins: (host) => [paperFormat({ host })],
    open: (broker, options) => openPaper(broker, options, false),
  },
  {
    key: 'paperFirst',
    letter: 'f',
    title: 'paper’s first design',
    meaning:
      'the same, and every request brings its callee all entries that its caller has so far, in a header of the request',
    sparse: true,
    servicePlugins: (host) => [paperFormat({ host, handDown: true })],
    open: (broker, options) => openPaper(broker, options, true),
  },
  {
    key: 'clew',
    letter: 'c',
    title: 'Clew',
    meaning: '`profile()` with its default settings at the services, `traced(…)` at the client',
    sparse: false,
    servicePlugins: (host) => [profile({ host })],
    open: openTraced,
  },
  {
    key: 'spilling',
    letter: 's',
    title: 'Clew, spilling',
    meaning: `the same with \`profile({ budget: ${SPILLING_BUDGET} })\`: what a reply has no room for travels around the replies, in pieces to the client’s inbox, and the client’s time includes waiting for the last of them`,
    sparse: false,
    servicePlugins: (host) => [profile({ host, budget: SPILLING_BUDGET })],
    open: openTraced,
  },
]

export function systemOf(key: SystemKey): System {
  return SYSTEMS.find((system) => system.key === key)!
}

async function openUntraced(broker: Broker, options: ClientOptions): Promise<Client> {
  const { delivery, plugins, letter } = options
  const cluster = await connect(broker, { delivery, use: plugins, attachments: false })
  const { link, hub } = proxiesOf(cluster, letter)
  return {
    call: async (shape, size) => ({ result: await ask(link, hub, shape, size), tree: undefined }),
    [Symbol.asyncDispose]: () => cluster.close(),
  }
}

async function openPaper(
  broker: Broker,
  { delivery, plugins, letter }: ClientOptions,
  handDown: boolean,
): Promise<Client> {
  let entries: readonly PaperEntry[] = []
  const take = (taken: readonly PaperEntry[]) => {
    entries = taken
  }
  const use = [paperFormat({ host: CLIENT_HOST, handDown, take }), ...plugins]
  const cluster = await connect(broker, { delivery, use, attachments: false })
  const { link, hub } = proxiesOf(cluster, letter)
  return {
    call: async (shape, size) => {
      const result = await ask(link, hub, shape, size)
      const own = entries
      return { result, tree: () => callTree(parseTraces(JSON.stringify(own)).traces[0] ?? []) }
    },
    [Symbol.asyncDispose]: () => cluster.close(),
  }
}

/** The client of both of Clew's systems: what differs is at the services. */
async function openTraced(broker: Broker, options: ClientOptions): Promise<Client> {
  const { delivery, plugins, letter } = options
  const cluster = await connect(broker, { delivery, use: plugins })
  const { link, hub } = proxiesOf(cluster, letter)
  const [tracedLink, tracedHub] = [traced(link), traced(hub)]
  return {
    call: async (shape, size) => {
      const { result, trace } = await ask(tracedLink, tracedHub, shape, size)
      return { result, tree: () => callTree(trace) }
    },
    [Symbol.asyncDispose]: () => cluster.close(),
  }
}

function proxiesOf(cluster: Cluster, letter: string) {
  return {
    link: cluster.proxy<Link>(linkName(letter, 0)),
    hub: cluster.proxy<Hub>(hubName(letter)),
  }
}

function ask<Reply>(
  link: { readonly callNextLink: (levels: number) => Reply },
  hub: Readonly<Record<'callTogether' | 'callInSeries', (width: number) => Reply>>,
  shape: Shape,
  size: number,
): Reply {
  if (shape === 'depth') return link.callNextLink(size)
  return shape === 'together' ? hub.callTogether(size) : hub.callInSeries(size)
}
