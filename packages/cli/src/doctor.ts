import type { AccountsAnswer, CollectorClient, HealthAnswer } from '@clew/collector/client'
import type { Broker } from 'clew'
import { formatMs } from 'clew/trace'
import { openBroker } from './broker-address.ts'
import { callFault } from './call-fault.ts'
import { clientOf, collectorFault } from './collector-source.ts'
import type { ClewContext } from './command.ts'
import { Fault } from './fault.ts'
import { harmless } from './harmless.ts'

/** One thing that was looked at. */
export interface Finding {
  readonly state: 'ok' | 'warn' | 'bad'
  /** What was looked at, in a word or two. */
  readonly what: string
  /** How it is. */
  readonly told: string
  /** What to do. */
  readonly next?: string
}

export interface Examined {
  readonly findings: readonly Finding[]
  readonly accounts: AccountsAnswer | undefined
}

/** Calls that wait so long in a collector that it does not keep up. */
const MUCH_PENDING = 200_000
const CLOCK_MS = 5_000
const QUIET_MS = 3_600_000
/** Batches that wait at the broker although somebody takes them. */
const MANY_WAITING = 1_000
/** A sender is said to be alive when it was heard of within. */
const ALIVE_MS = 60_000

/** Looks at the collector, and at the broker where one is named. */
export async function examine(
  context: ClewContext,
  url: string,
  broker: string | undefined,
): Promise<Examined> {
  const client = await clientOf(url, context.env)
  const findings: Finding[] = []
  const health = await attempt(findings, 'collector', url, () => client.health())
  let accounts: AccountsAnswer | undefined
  if (health !== undefined) {
    findings.push(...healthFindings(health, url))
    accounts = await attempt(findings, 'accounts', url, () => client.accounts())
    if (accounts !== undefined) findings.push(...accountFindings(accounts))
    findings.push(...(await storeFindings(client, findings, url, accounts?.total.stored ?? 0)))
  }
  if (broker !== undefined) findings.push(...(await brokerFindings(context, broker)))
  return { findings, accounts }
}

async function attempt<T>(
  findings: Finding[],
  what: string,
  url: string,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    const fault = await collectorFault(error, url)
    if (!(fault instanceof Fault)) throw fault
    const [next] = fault.next
    const told = fault.why === undefined ? fault.message : `${fault.message} (${fault.why})`
    findings.push({ state: 'bad', what, told, ...(next !== undefined && { next }) })
    return undefined
  }
}

function healthFindings(health: HealthAnswer, url: string): readonly Finding[] {
  const { ok, version, pending, reason, damage, problems, clockMs } = health
  const findings: Finding[] = [
    ok
      ? { state: 'ok', what: 'collector', told: `${url} takes what is sent (version ${version})` }
      : {
          ...{
            state: 'bad',
            what: 'collector',
            told: `it takes nothing: ${reason ?? 'see its log'}`,
          },
          next: 'make room on its disk, or see its log',
        },
  ]
  for (const told of damage) {
    findings.push({ state: 'warn', what: 'store', told, next: afterDamage(told) })
  }
  for (const told of problems) findings.push({ state: 'warn', what: 'collector', told })
  const count = pending.toLocaleString('en-US')
  findings.push(
    pending > MUCH_PENDING
      ? {
          ...{
            state: 'warn',
            what: 'backlog',
            told: `${count} calls wait to be found and counted`,
          },
          next: 'more comes than one collector can take: docs/scaling.md',
        }
      : { state: 'ok', what: 'backlog', told: `${count} calls wait to be found and counted` },
  )
  const apartMs = clockMs - Date.now()
  if (Math.abs(apartMs) > CLOCK_MS) {
    findings.push({
      ...{ state: 'warn', what: 'clocks' },
      told: `its clock is ${formatMs(Math.abs(apartMs))} ${apartMs > 0 ? 'ahead of' : 'behind'} this machine’s`,
      next: 'let both follow a time server: periods such as the last hour are told by clocks',
    })
  }
  return findings
}

/** What damage means, by the table that it is told of: all but packets and accounts are made of packets. */
export const afterDamage = (told: string) =>
  /^(?:calls|traces|\w+_rollup):/u.test(told)
    ? 'no trace is lost by this; searches and figures may be short of some calls'
    : 'what is lost is lost; restore the folder from a backup to have it again'

function accountFindings({ total, senders }: AccountsAnswer): readonly Finding[] {
  if (senders.length === 0) {
    return [
      {
        ...{ state: 'warn', what: 'senders', told: 'nothing has been sent so far' },
        next: 'profile({ sink: httpSink({ url }) }) in a service: docs/sending.md',
      },
    ]
  }
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((all, count) => all + count, 0)
  const many = (count: number) => count.toLocaleString('en-US')
  const findings: Finding[] = []
  const [rejected, dropped] = [sum(total.rejected), sum(total.dropped)]
  const told = `${many(total.sent)} calls sent = ${many(total.stored)} stored + ${many(rejected)} rejected + ${many(dropped)} dropped + ${many(total.underWay)} under way`
  findings.push({ state: dropped + rejected > 0 ? 'warn' : 'ok', what: 'calls', told })
  for (const [reason, calls] of Object.entries(total.dropped)) {
    const next = DROPPED[reason] ?? 'docs/sending.md tells when a sink drops what it was given'
    findings.push({ state: 'warn', what: 'dropped', told: `${many(calls)}: ${reason}`, next })
  }
  for (const [reason, calls] of Object.entries(total.rejected)) {
    const next = 'a sender of another version, or of something else; see GET /api/accounts'
    findings.push({ state: 'warn', what: 'rejected', told: `${many(calls)}: ${reason}`, next })
  }
  const now = Date.now()
  const gone = senders.filter(({ underWay, lastMs }) => underWay > 0 && now - lastMs > ALIVE_MS)
  if (gone.length > 0) {
    const calls = gone.reduce((all, { underWay }) => all + underWay, 0)
    const who = gone.length === 1 ? 'a sender' : `${gone.length} senders`
    findings.push({
      ...{ state: 'warn', what: 'senders' },
      told: `${many(calls)} calls of ${who} that went away are under way: killed before they were sent`,
      next: 'let services end by SIGTERM, and they send what they have',
    })
  }
  return findings
}

const DROPPED: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  buffer_full:
    'the collector was away or slow for longer than the buffer lasts: a larger buffer, or more collectors',
  refused: 'the collector did not accept it: look at the token and its role',
  too_large: 'traces of more than 8 MiB are not sent: a smaller budget, or fewer calls in a trace',
  closed: 'what came after the sink was closed',
})

async function storeFindings(
  client: CollectorClient,
  findings: Finding[],
  url: string,
  stored: number,
): Promise<readonly Finding[]> {
  const usage = await attempt(findings, 'store', url, () => client.usage())
  if (usage === undefined) return []
  const { traces, calls, bytes, newestMs } = usage
  // OTLP has a span for each side, a late reply tells again what its caller told, and old traces go.
  const kind = calls < stored ? ' different calls now' : ' calls'
  const told = `${traces.toLocaleString('en-US')} traces, ${calls.toLocaleString('en-US')}${kind}, ${(bytes / 1e6).toFixed(1)} MB as they came`
  const quiet = newestMs !== null && Date.now() - newestMs > QUIET_MS
  if (!quiet) return [{ state: 'ok', what: 'store', told }]
  const since = `${told}; the newest began ${formatMs(Date.now() - newestMs)} ago`
  return [{ state: 'warn', what: 'store', told: since, next: 'are services running, and sending?' }]
}

async function brokerFindings({ env }: ClewContext, address: string): Promise<readonly Finding[]> {
  try {
    const broker = await openBroker(address, env)
    const connection = await broker.connect({})
    try {
      const reached = 'answers, and lets this user in'
      const backlog = await connection.collectQueue.backlog()
      return [{ state: 'ok', what: 'broker', told: reached }, ...queueFindings(backlog)]
    } finally {
      await connection.close()
    }
  } catch (error) {
    const fault = error instanceof Fault ? error : callFault(error)
    if (!(fault instanceof Fault)) throw error
    const [next] = fault.next
    const told = harmless(fault.message)
    return [{ state: 'bad', what: 'broker', told, ...(next !== undefined && { next }) }]
  }
}

type Connection = Awaited<ReturnType<Broker['connect']>>
type Backlog = Awaited<ReturnType<Connection['collectQueue']['backlog']>>

/** What lies at the broker for collectors, and whether one takes it. */
function queueFindings(backlog: Backlog): readonly Finding[] {
  const what = 'queue'
  if (backlog === undefined) {
    return [{ state: 'ok', what, told: 'not there yet: nobody has sent by this broker' }]
  }
  const { batches, collectors, dead } = backlog
  const told = `${batches.toLocaleString('en-US')} batches wait in clew.collect, of which ${collectors} collectors take`
  const findings: Finding[] = []
  if (collectors === 0) {
    const next = 'clew collect --broker URL; senders drop what they have once the queue is full'
    findings.push({ state: batches > 0 ? 'bad' : 'warn', what, told, next })
  } else if (batches > MANY_WAITING) {
    findings.push({ state: 'warn', what, told, next: 'run more collectors: docs/scaling.md' })
  } else findings.push({ state: 'ok', what, told })
  if (dead > 0) {
    const left = `${dead.toLocaleString('en-US')} batches lie in dead-clew.collect: no collector could keep them`
    findings.push({ state: 'warn', what, told: left, next: 'a collector’s log tells why' })
  }
  return findings
}
