// `npm run bench:sinks`: what calls take when their traces are sent. See `--help`.
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, memory, proxy, rabbitmq, rpc, run } from 'clew'
import { brokerSink, fileSink, httpSink, keep, profile, type Sink } from 'clew/profile'
import { runCommand } from './harness/command.ts'
import { processorUs } from './harness/machine.ts'
import { readParameters } from './harness/parameters.ts'
import { wholeNumber } from './harness/readers.ts'
import { counted } from './harness/run-text.ts'
import { quantile, shuffled } from './harness/statistics.ts'

const HELP = `Measures what calls take when their traces are sent, and the collector is there, gone, or hangs.

  npm run bench:sinks                 about a minute
  npm run bench:sinks -- --quick      a few rounds

  --rounds N    rounds of all variants in random order (40; quick: 5)
  --json        print the results as one JSON value
  --help        this text

With CLEW_AMQP_URL over that RabbitMQ, else in process.
`
const ROUNDS = 40
const QUICK_ROUNDS = 5
const MOST_ROUNDS = 10_000
const REQUESTS = 200
const BRANCHES = 4

interface Work {
  fan(width: number): Promise<number>
}

interface Variant {
  readonly name: string
  readonly work: Work
  readonly timesMs: number[]
  /** Of each round. */
  readonly p99Ms: number[]
  processorUs: number
}

const url = process.env.CLEW_AMQP_URL
const broker = url === undefined ? memory() : rabbitmq(url)
const open: (() => Promise<unknown>)[] = []
const quiet = { onProblem: () => {} }

/** What tracing takes without any sink. */
const NOWHERE: Sink = {
  take() {},
  takePacket() {},
  flush: async () => {},
  close: async () => {},
  counts: { taken: 0, written: 0, dropped: 0 },
}

function service(name: string) {
  return class Fanning {
    static readonly name: string = name
    self = proxy<{ leaf(value: number): Promise<number> }>(name)
    @rpc async leaf(value: number) {
      return value
    }
    @rpc async fan(width: number) {
      const calls = Array.from({ length: width }, (_, branch) => this.self.leaf(branch))
      return (await Promise.all(calls)).length
    }
  }
}

async function collecting(answers: boolean): Promise<string> {
  const server = answers
    ? createServer((request, response) => {
        // Whatever it was, all of it was kept.
        const stored = Number.MAX_SAFE_INTEGER
        request.on('end', () => response.end(JSON.stringify({ stored })))
        request.resume()
      })
    : createSocketServer((socket: Socket) => socket.on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(async () => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function variant(name: string, serviceName: string, sink?: Sink): Promise<Variant> {
  const use = name === 'untraced' ? [] : [profile(sink === undefined ? {} : { sink })]
  const cluster = await connect(broker, { use })
  open.push(() => cluster.close())
  const work = cluster.proxy<Work>(serviceName)
  return { name, work, timesMs: [], p99Ms: [], processorUs: 0 }
}

async function variants(): Promise<readonly Variant[]> {
  const [bare, profiled] = [`bench_bare_${process.pid}`, `bench_profiled_${process.pid}`]
  for (const [name, use] of [
    [bare, []],
    [profiled, [profile()]],
  ] as const) {
    const running = await run([service(name)], { broker, use, signals: false })
    open.push(() => running.stop())
  }
  const file = join(tmpdir(), `clew-bench-${process.pid}.jsonl`)
  open.push(() => rm(file, { force: true }))
  const there = await collecting(true)
  return [
    await variant('untraced', bare),
    await variant('traced, thrown away', profiled, NOWHERE),
    await variant('fileSink', profiled, fileSink(file)),
    await variant('httpSink, collector there', profiled, httpSink({ url: there, ...quiet })),
    await variant(
      'httpSink, keep(share 0.1)',
      profiled,
      keep({}, httpSink({ url: there, ...quiet })),
    ),
    await variant(
      'httpSink, collector hangs',
      profiled,
      httpSink({ url: await collecting(false), flushMs: 0, ...quiet }),
    ),
    await variant(
      'httpSink, nobody there',
      profiled,
      httpSink({ url: 'http://127.0.0.1:1', flushMs: 0, ...quiet }),
    ),
    await variant(
      'brokerSink',
      profiled,
      brokerSink({ queue: `bench.collect-${process.pid}`, ...quiet }),
    ),
  ]
}

async function round(variant: Variant): Promise<void> {
  const began = processorUs()
  const times: number[] = []
  for (let request = 0; request < REQUESTS; request++) {
    const from = performance.now()
    await variant.work.fan(BRANCHES)
    times.push(performance.now() - from)
  }
  variant.processorUs += processorUs() - began
  variant.timesMs.push(...times)
  variant.p99Ms.push(quantile(times, 0.99))
}

/** Measures so many rounds of all variants. The first, not among them, is for the compiler. */
async function measure(all: readonly Variant[], rounds: number): Promise<void> {
  for (const each of all) await round(each)
  for (const each of all) {
    each.timesMs.length = 0
    each.p99Ms.length = 0
    each.processorUs = 0
  }
  for (let index = 0; index < rounds; index++) {
    for (const each of shuffled(all)) await round(each)
  }
}

interface VariantFigures {
  readonly name: string
  /** Of a request. */
  readonly p50Us: number
  readonly p99Us: number
  /** Median over the rounds of the distance to the untraced p99 of the same round. */
  readonly p99BesideUs: number
  readonly processorUs: number
}

function figuresOf(all: readonly Variant[], rounds: number): readonly VariantFigures[] {
  const [untraced] = all
  return all.map(({ name, timesMs, p99Ms, processorUs: us }) => {
    const beside = p99Ms.map((ms, index) => ms - untraced!.p99Ms[index]!)
    return {
      name,
      p50Us: quantile(timesMs, 0.5) * 1000,
      p99Us: quantile(timesMs, 0.99) * 1000,
      p99BesideUs: quantile(beside, 0.5) * 1000,
      processorUs: us / rounds / REQUESTS,
    }
  })
}

function reportOf(figures: readonly VariantFigures[], rounds: number): string {
  return [
    `${counted(rounds, 'round')} of ${REQUESTS} requests of ${BRANCHES + 1} calls, ${broker.name}; µs a request`,
    '',
    "| variant | p50 | p99 | p99 beside the untraced round's (median) | processor |",
    '|---|---:|---:|---:|---:|',
    ...figures.map(({ name, ...numbers }) => {
      return `| ${[name, ...Object.values(numbers).map((us) => us.toFixed(0))].join(' | ')} |`
    }),
  ].join('\n')
}

await runCommand({
  name: 'sinks',
  help: HELP,
  readOptions(parameters) {
    const read = {
      flags: ['quick', 'json'],
      values: { rounds: wholeNumber(1, MOST_ROUNDS) },
    } as const
    const { flags, values } = readParameters(parameters, read)
    return { json: flags.json, rounds: values.rounds ?? (flags.quick ? QUICK_ROUNDS : ROUNDS) }
  },
  async run({ json, rounds }) {
    try {
      const all = await variants()
      await measure(all, rounds)
      const variantFigures = figuresOf(all, rounds)
      const results = {
        suite: 'sinks',
        schema: 1,
        rounds,
        broker: broker.name,
        variants: variantFigures,
      }
      process.stdout.write(`${json ? JSON.stringify(results) : reportOf(variantFigures, rounds)}\n`)
      return 0
    } finally {
      for (const close of open.toReversed()) await close()
    }
  },
})
// What hangs is not waited for.
process.exit()
