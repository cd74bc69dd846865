import type { AccountAnswer } from '@clew/collector/client'
import type { ClewContext } from './command.ts'
import type { Examined, Finding } from './doctor.ts'
import { Page, type PageRow } from './page.ts'

/** Senders listed; what is beyond is counted. */
const MOST = 12

const SIGNS = { ok: 'ok', warn: 'WARN', bad: 'BAD' } as const

/** What was found, a line each, and what became of what every sender was given. */
export function tellFindings(
  context: ClewContext,
  ascii: boolean,
  { url, findings, accounts }: Examined & { readonly url: string },
): void {
  const page = new Page(context, ascii)
  page.title(sentenceOf(findings), url)
  page.table(
    [{ title: 'STATE' }, { title: 'OF', least: 8 }, { title: 'HOW IT IS', least: 20 }],
    findings.map(
      ({ state, what, told, next }): PageRow => ({
        cells: [SIGNS[state], what, told],
        ...(next !== undefined && { below: [next] }),
        red: state === 'bad',
      }),
    ),
  )
  if (accounts === undefined || accounts.senders.length === 0) return
  page.table(
    [
      { title: 'SENDER', least: 12 },
      { title: 'ROAD', spare: true },
      { title: 'SENT', side: 'right' },
      { title: 'STORED', side: 'right' },
      { title: 'REJECTED', side: 'right', spare: true },
      { title: 'DROPPED', side: 'right' },
      { title: 'UNDER WAY', side: 'right', spare: true },
      { title: 'LAST', side: 'right', spare: true },
    ],
    accounts.senders.slice(0, MOST).map((sender) => ({ cells: cellsOf(sender) })),
  )
  const left = accounts.senders.length - MOST
  if (left > 0) page.sentence(`and ${left} more senders; --json has them`, 'dim')
}

function sentenceOf(findings: readonly Finding[]): string {
  const count = (state: Finding['state']) => findings.filter((one) => one.state === state).length
  const [bad, warn] = [count('bad'), count('warn')]
  if (bad > 0) return bad === 1 ? 'Something is wrong' : `${bad} things are wrong`
  return warn > 0 ? 'It works, with something to look at' : 'All is well'
}

function cellsOf(sender: AccountAnswer): readonly string[] {
  const { name, host, pid, road, sent, stored, rejected, dropped, underWay, lastMs } = sender
  const many = (count: number) => (count === 0 ? '-' : count.toLocaleString('en-US'))
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((all, calls) => all + calls, 0)
  const where = host === '' ? '' : `@${host}${pid === 0 ? '' : `:${pid}`}`
  return [
    ...[`${name}${where}`, road, many(sent), many(stored), many(sum(rejected))],
    ...[many(sum(dropped)), many(underWay), agoOf(Date.now() - lastMs)],
  ]
}

function agoOf(ms: number): string {
  if (ms < 1_500) return 'now'
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s ago`
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} m ago`
  return ms < 172_800_000
    ? `${Math.round(ms / 3_600_000)} h ago`
    : `${Math.round(ms / 86_400_000)} d ago`
}
