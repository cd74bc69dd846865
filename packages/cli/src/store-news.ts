import type { TraceStore } from '@clew/collector'

type Health = ReturnType<TraceStore['health']>

/**
 * What somebody who reads the log has to know of the store that was not so before: it takes nothing and
 * why, it takes again what is sent, and what of it is damaged.
 */
export function storeNews(before: Health | undefined, now: Health): readonly string[] {
  const known = new Set(before?.damage)
  const news = now.damage.filter((one) => !known.has(one))
  const wasWritable = before?.writable ?? true
  if (!now.writable && wasWritable)
    news.push(`nothing is taken: ${now.reason ?? 'it is not writable'}`)
  if (now.writable && !wasWritable) news.push('what is sent is taken again')
  return news
}
