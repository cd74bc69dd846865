import { resolve } from 'node:path'
import type { Broker } from 'clew'
import type { Sink } from 'clew/profile'
import { openBroker } from '../broker-address.ts'
import { COLLECTOR_FLAGS, TOKEN_VARIABLE } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import type { StoreFinding } from '../demo/store.ts'
import type { Tour } from '../demo/tour.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { harmless } from '../harmless.ts'
import { wrap } from '../wrap.ts'

interface Flags {
  readonly collector: string | undefined
  readonly broker: string
  readonly out: string
  readonly once: boolean
  readonly delay: number
  readonly real: boolean
  readonly json: boolean
}

/** Before the names of services on a broker that others may share: theirs may be called `payments` too. */
const SHARED_PREFIX = 'demo_'
const LONGEST_DELAY_MS = 10_000

export const demoCommand = defineCommand<Flags, readonly []>({
  help: {
    brief:
      'Run a small shop and an online store: who straggles, who fails, and where the time goes, in the terminal and in pictures',
    usage: '[FLAGS]',
    examples: [
      { input: 'demo', brief: 'in this process; goes on calling until Ctrl-C' },
      { input: 'demo --once --json', brief: 'once, for a script' },
      { input: 'demo --broker amqp://localhost', brief: 'the same over RabbitMQ' },
      {
        input: 'demo --collector http://127.0.0.1:7117',
        brief: 'with clew collect in another terminal: clew find, clew top',
      },
      { input: 'demo --delay 500 --out slower', brief: 'a slower straggler, files elsewhere' },
    ],
    description: [
      'Writes straggler.trace.jsonl, straggler.png, straggler.svg, failure.trace.jsonl and failure.png, and of the store store.trace.jsonl and breakdown.png. While it goes on, the store stays open, and live.trace.jsonl has the latest calls.',
    ],
  },
  parameters: {
    flags: {
      collector: {
        ...COLLECTOR_FLAGS.collector,
        brief: 'send every trace to a collector as well, to be asked for',
      },
      broker: {
        kind: 'parsed',
        parse: String,
        default: 'memory',
        placeholder: 'URL',
        brief: 'memory, or where RabbitMQ answers',
      },
      out: {
        kind: 'parsed',
        parse: String,
        default: './clew-demo',
        placeholder: 'DIRECTORY',
        brief: 'where the files go',
      },
      once: {
        kind: 'boolean',
        default: false,
        brief: 'end after having shown it all',
        withNegated: false,
      },
      delay: {
        kind: 'parsed',
        parse: parseDelay,
        default: '120',
        placeholder: 'MS',
        brief: 'milliseconds by which one shard is slower than the others',
      },
      real: {
        kind: 'boolean',
        default: false,
        brief:
          'the store on RabbitMQ, PostgreSQL and Redis: those of CLEW_AMQP_URL, CLEW_POSTGRES_URL and CLEW_REDIS_URL, where it uses names of its own (gateway, orders, products)',
        withNegated: false,
      },
      json: {
        kind: 'boolean',
        default: false,
        brief: 'the findings as one JSON value',
        withNegated: false,
      },
    },
  },
  run: demo,
})

async function demo(context: ClewContext, flags: Flags): Promise<ExitCode> {
  const { output } = context
  const ending = new AbortController()
  const stopListening = onInterrupt(() => ending.abort())
  let sink: Sink | undefined
  try {
    const { openShop } = await import('../demo/open-shop.ts')
    const { tour } = await import('../demo/tour.ts')
    const { openStore, serversOf, visitStore } = await import('../demo/store.ts')
    const { callFault } = await import('../call-fault.ts')
    const servers = await serversOf(flags.real, context.env)
    const inProcess = flags.broker === 'memory'
    sink = await sinkOf(flags, context)
    await using shop = await openShop({
      broker: await brokerOf(flags.broker, context),
      prefix: inProcess ? '' : SHARED_PREFIX,
      delayMs: flags.delay,
      sink,
    }).catch((error: unknown) => {
      throw callFault(error, inProcess ? {} : { next: ['clew demo   without a broker'] })
    })
    const shown = await tour(shop, flags.out)
    await using store = await openStore(servers)
    await tell(context, flags, shown, store && (await visitStore(store, flags.out)))
    if (flags.once || ending.signal.aborted) return EXIT.ok
    const { callOn } = await import('../demo/live.ts')
    const path = resolve(flags.out, 'live.trace.jsonl')
    if (store !== undefined) output.say(`the store is open: ${store.page}`)
    if (!output.live) output.say('calling on; interrupt to end')
    await callOn({ shop, store, output, signal: ending.signal, path, sink })
    return EXIT.ok
  } finally {
    await sink?.close()
    stopListening()
  }
}

async function sinkOf(
  { collector: url }: Flags,
  { output, env }: ClewContext,
): Promise<Sink | undefined> {
  if (url === undefined) return undefined
  const { httpSink } = await import('clew/profile')
  const token = env[TOKEN_VARIABLE]
  const onProblem = (message: string) => output.say(harmless(message))
  return httpSink({ url, name: 'demo', onProblem, ...(token !== undefined && { token }) })
}

async function brokerOf(address: string, { env }: ClewContext): Promise<Broker> {
  if (address !== 'memory') return await openBroker(address, env)
  const { memory } = await import('clew')
  return memory()
}

/** A second signal ends the process as it would without us. */
function onInterrupt(end: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}

async function tell(
  context: ClewContext,
  flags: Flags,
  shown: Tour,
  store: StoreFinding | undefined,
): Promise<void> {
  const { output } = context
  const { files, straggler, failure } = shown
  if (flags.json) return tellPrograms(context, shown, store)
  const { printTree } = await import('../print-tree.ts')
  const { typed } = await import('../demo/tour.ts')
  const { bold, dim, green } = output.paint
  const [stragglerTrace, stragglerPng, stragglerSvg, failureTrace, failurePng] = files.map((path) =>
    harmless(typed(path)),
  )
  output.print(bold('1. A search asks ten shards at once; one of them is slow'))
  output.print('')
  printTree(context, straggler.tree)
  output.print('')
  for (const line of wrap(`→ ${straggler.sentence}`, output.sentenceWidth))
    output.print(green(line))
  output.print('')
  output.print(bold('2. An order fails, four services deep'))
  output.print('')
  printTree(context, failure.tree)
  output.print('')
  for (const line of wrap(`→ ${failure.sentence}`, output.sentenceWidth)) output.print(green(line))
  output.print('')
  if (store !== undefined) await tellOfStore(context, store)
  const [storeTrace, breakdownPng] = (store?.files ?? []).map((path) => harmless(typed(path)))
  output.print(bold('Pictures'))
  output.print(`  ${stragglerPng}  ${dim('and')}  ${stragglerSvg}`)
  output.print(`  ${failurePng}`)
  if (breakdownPng !== undefined) output.print(`  ${breakdownPng}`)
  output.print(bold('Try next'))
  for (const next of [
    `npx clew show ${stragglerTrace}`,
    `npx clew render ${stragglerTrace} --view waterfall -o waterfall.png`,
    `npx clew analyze ${failureTrace}`,
    ...(storeTrace === undefined
      ? []
      : [
          `npx clew analyze ${storeTrace}`,
          `npx clew map ${storeTrace} -o map.png`,
          `npx clew render ${storeTrace} -o store.html`,
        ]),
    'npx clew --help',
  ]) {
    output.print(`  ${next}`)
  }
  output.print('')
}

async function tellPrograms(
  { output }: ClewContext,
  { files, straggler, failure }: Tour,
  store: StoreFinding | undefined,
): Promise<void> {
  const { storeRows } = await import('../demo/store.ts')
  output.printJson({
    files: [...files, ...(store?.files ?? [])],
    straggler: {
      service: straggler.service,
      method: straggler.method,
      totalMs: straggler.totalMs,
    },
    failure: { service: failure.service, method: failure.method, error: failure.error },
    ...(store === undefined ? {} : { store: { breakdown: storeRows(store) } }),
  })
}

async function tellOfStore({ output, env }: ClewContext, store: StoreFinding): Promise<void> {
  const { storeTable } = await import('../demo/store.ts')
  const { isAsciiOnly } = await import('../print-tree.ts')
  const { width, color } = output
  output.print(output.paint.bold('3. An online store: where the time of each kind of request goes'))
  output.print('')
  output.print(storeTable(store, { width, color, unicode: !isAsciiOnly(env) }))
  output.print('')
}

function parseDelay(text: string): number {
  const ms = Number(text)
  if (!(/^\d+$/.test(text) && ms <= LONGEST_DELAY_MS)) {
    throw usageFault(`${JSON.stringify(text)} is no whole number from 0 to ${LONGEST_DELAY_MS}`)
  }
  return ms
}
