import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderBreakdownSvg, renderBreakdownText } from '@clew/render'
import { renderPng } from '@clew/render/png'
import { type Broker, memory } from 'clew'
import {
  type BreakdownRow,
  breakdown,
  breakdownRows,
  callTree,
  encodeTrace,
  type RequestBreakdown,
  type Trace,
} from 'clew/trace'
import { openBroker } from '../broker-address.ts'
import { EXIT } from '../exit.ts'
import { Fault, fileFault, usageFault } from '../fault.ts'

/** Where the time of the online store's requests went. */
export interface StoreFinding {
  readonly files: readonly string[]
  readonly requests: readonly RequestBreakdown[]
}

/** Requests of each of the four kinds. */
const EACH = 25

interface Servers {
  readonly broker: Broker
  readonly database: string
  readonly cache: string
}

/** What the example says it can do; it is no dependency of this package. */
interface StoreExample {
  openStore(servers: Servers): Promise<OpenStore>
}

/** The example's store at work. */
export interface OpenStore extends AsyncDisposable {
  /** A page that can be looked at while the store is open. */
  readonly page: string
  measure(each: number): Promise<readonly Trace[]>
  watch(take: (trace: Trace) => void): void
}

/** @throws Fault where a server's address is missing */
export async function serversOf(
  real: boolean,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Servers> {
  if (!real) return { broker: memory(), database: 'pglite:', cache: 'memory:' }
  const given = (name: string) => {
    const value = env[name]
    if (value !== undefined && value !== '') return value
    throw usageFault(`--real needs ${name}, the address of a server`, {
      next: ['npm start -- --real   starts RabbitMQ, PostgreSQL and Redis for it'],
    })
  }
  return {
    broker: await openBroker(given('CLEW_AMQP_URL'), env),
    database: given('CLEW_POSTGRES_URL'),
    cache: given('CLEW_REDIS_URL'),
  }
}

/**
 * Opens the online store. Undefined where the example is not installed: it comes with Clew's repository.
 * @throws Fault when it cannot be opened
 */
export async function openStore(servers: Servers): Promise<OpenStore | undefined> {
  const example = await load()
  return await example?.openStore(servers).catch(blame)
}

/**
 * Puts a small load on the store; writes its traces and the picture of where their time went.
 * @throws Fault when the store does not answer, or the files cannot be written
 */
export async function visitStore(store: OpenStore, directory: string): Promise<StoreFinding> {
  const traces = await store.measure(EACH).catch(blame)
  const requests = breakdown(traces.map((trace) => callTree(trace)))
  const contents: readonly (readonly [string, string | Uint8Array])[] = [
    ['store.trace.jsonl', traces.map(encodeTrace).join('')],
    ['breakdown.png', await renderPng(renderBreakdownSvg(requests))],
  ]
  const files = contents.map(([name]) => join(directory, name))
  for (const [at, [, content]] of contents.entries()) {
    await writeFile(files[at]!, content).catch((error: unknown) => {
      throw fileFault('write', files[at]!, error)
    })
  }
  return { files, requests }
}

function blame(error: unknown): never {
  throw new Fault('the store did not do what it should', {
    exit: EXIT.failed,
    code: 'store',
    why: (error as Error).message,
    cause: error,
  })
}

/** Asked for by a name that the compiler does not know, so that this package does without it. */
async function load(): Promise<StoreExample | undefined> {
  const name = 'clew-examples/store'
  try {
    return (await import(name)) as StoreExample
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** For programs: the request is named by what the client asked for, `POST /orders`. */
export function storeRows({ requests }: StoreFinding): readonly BreakdownRow[] {
  const rounded = (value: number, digits: number) => Number(value.toFixed(digits))
  return breakdownRows(requests.map((one) => ({ ...one, request: one.method }))).map((row) => ({
    ...row,
    p50Ms: rounded(row.p50Ms, 3),
    p99Ms: rounded(row.p99Ms, 3),
    share: rounded(row.share, 6),
  }))
}

export function storeTable(
  { requests }: StoreFinding,
  style: { readonly width: number; readonly color: boolean; readonly unicode: boolean },
): string {
  return renderBreakdownText(requests, style).trimEnd()
}
