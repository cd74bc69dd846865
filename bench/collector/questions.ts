import { collectorClient } from '@clew/collector/client'
import { quantile } from '../harness/statistics.ts'

const HOUR_MS = 3_600_000

export interface QuestionResult {
  readonly question: string
  readonly asked: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly targetMs: number | undefined
}

/** Asks each kind of question again and again, about random hours of a period, over HTTP. */
export async function askQuestions(
  url: string,
  {
    fromMs,
    toMs,
    times,
  }: { readonly fromMs: number; readonly toMs: number; readonly times: number },
): Promise<readonly QuestionResult[]> {
  const client = collectorClient({ url })
  const anHour = () => {
    const from = fromMs + Math.random() * (toMs - fromMs - HOUR_MS)
    return { from: Math.round(from), to: Math.round(from + HOUR_MS) }
  }
  const day = { from: fromMs, to: toMs }
  const ids: string[] = []
  for (let hour = 0; hour < 12; hour++) {
    const { traces } = await client.find({ ...anHour(), limit: 100 })
    for (const { id } of traces) ids.push(id)
  }
  const anId = () => ids[Math.floor(Math.random() * ids.length)]!
  const service = () => `service:orders_${Math.floor(Math.random() * 4)}`
  const kinds: readonly (readonly [string, number | undefined, () => Promise<unknown>])[] = [
    ['a trace by its id', 50, () => client.trace(anId())],
    ['search of an hour: newest', 200, () => client.find(anHour())],
    ['search of an hour: failed', 200, () => client.find({ ...anHour(), filter: 'failed:true' })],
    [
      'search of an hour: service and duration, slowest',
      200,
      () => client.find({ ...anHour(), filter: `${service()} duration:>15ms`, order: 'slowest' }),
    ],
    [
      'search of an hour: host and method',
      200,
      () => client.find({ ...anHour(), filter: 'host:host-7-1 method:get_*' }),
    ],
    ['service map of an hour', 500, () => client.map(anHour())],
    ['breakdown of an hour', 500, () => client.breakdown(anHour())],
    ['statistics of an hour', undefined, () => client.statistics(anHour())],
    ['service map of the day', undefined, () => client.map(day)],
    ['breakdown of the day', undefined, () => client.breakdown(day)],
  ]
  const results: QuestionResult[] = []
  for (const [question, targetMs, ask] of kinds) {
    await ask()
    const took: number[] = []
    for (let time = 0; time < times; time++) {
      const began = performance.now()
      await ask()
      took.push(performance.now() - began)
    }
    took.sort((a, b) => a - b)
    const [p50Ms, p95Ms] = [quantile(took, 0.5), quantile(took, 0.95)]
    results.push({ question, asked: times, p50Ms, p95Ms, targetMs })
  }
  return results
}
