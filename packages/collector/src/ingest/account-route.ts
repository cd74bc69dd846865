import type { Route } from '../http/route.ts'
import { type SenderAccount, sumOf, underWay } from '../store/accounts.ts'
import type { TraceStore } from '../store/trace-store.ts'

/** What became of the calls of one sender, or of all. `sent = stored + rejected + dropped + underWay`. */
export interface AccountSums {
  readonly sent: number
  readonly stored: number
  readonly rejected: Readonly<Record<string, number>>
  readonly dropped: Readonly<Record<string, number>>
  /** In a sender's buffer, or lost with its process. */
  readonly underWay: number
}

export interface AccountAnswer extends AccountSums {
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly instance: string
  readonly road: string
  readonly batches: number
  readonly firstMs: number
  readonly lastMs: number
}

export interface AccountsAnswer {
  readonly total: AccountSums
  /** Those heard of last first, at most 10,000. */
  readonly senders: readonly AccountAnswer[]
}

const COUNT = { type: 'number', minimum: 0 } as const
const COUNTS = { type: 'object', additionalProperties: COUNT } as const
const SUMS = { sent: COUNT, stored: COUNT, rejected: COUNTS, dropped: COUNTS, underWay: COUNT }
const TEXT = { type: 'string' } as const

/** `GET /api/accounts`: what became of everything that was sent. */
export const accountRoute = (store: TraceStore): Route => ({
  ...{ method: 'GET', path: '/api/accounts', role: 'read', name: 'getAccounts' },
  summary:
    'What became of the calls of each sender and of all: sent = stored + rejected + dropped + underWay. Of all time, since senders began.',
  answer: {
    type: 'object',
    required: ['total', 'senders'],
    properties: {
      total: { type: 'object', required: Object.keys(SUMS), properties: SUMS },
      senders: {
        type: 'array',
        items: {
          type: 'object',
          required: [...Object.keys(SUMS), 'name', 'host', 'instance', 'road', 'lastMs'],
          properties: {
            ...SUMS,
            name: TEXT,
            host: TEXT,
            instance: TEXT,
            road: TEXT,
            lastMs: COUNT,
          },
        },
      },
    },
  },
  async handle({ subject }) {
    const senders = (await store.accounts(subject.tenant)).map(answerOf)
    return Response.json({ total: totalOf(senders), senders } satisfies AccountsAnswer)
  },
})

function answerOf(account: SenderAccount): AccountAnswer {
  const { taken, stored, rejected, dropped, ...sender } = account
  // Who was killed may have stored more than it had told.
  const sent = Math.max(taken, stored + sumOf(rejected) + sumOf(dropped))
  return { ...sender, sent, stored, rejected, dropped, underWay: underWay(account) }
}

function totalOf(senders: readonly AccountAnswer[]): AccountSums {
  const rejected: Record<string, number> = Object.create(null)
  const dropped: Record<string, number> = Object.create(null)
  let [sent, stored, left] = [0, 0, 0]
  for (const sender of senders) {
    sent += sender.sent
    stored += sender.stored
    left += sender.underWay
    for (const [to, from] of [
      [rejected, sender.rejected],
      [dropped, sender.dropped],
    ] as const) {
      for (const [reason, calls] of Object.entries(from)) to[reason] = (to[reason] ?? 0) + calls
    }
  }
  return { sent, stored, rejected, dropped, underWay: left }
}
