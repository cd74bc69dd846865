import type { LogEvent, Logger } from 'clew'
import type { LogLevel } from 'clew/config'
import { harmless, harmlessJson, harmlessLines } from './harmless.ts'
import type { Output } from './output.ts'

/** Milliseconds in which the same words again are no news. */
const SAME_NEWS_MS = 1000

/** Errors of calls that a service made: their stacks show only how the reply came. */
const PASSED_ON: ReadonlySet<string> = new Set(['RemoteError', 'RpcError'])

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Frames that say nothing of what a service did; where source maps are read, ours are in `src`. */
const OURS = /node:internal|\/(?:packages|node_modules)\/clew\/(?:dist|src)\//

/** Lines for people on stderr. */
export async function textLog(output: Output, level: LogLevel): Promise<Logger> {
  const { withReason } = await import('clew/config')
  const { red, yellow, dim } = output.paintTalk
  const paint = { error: red, warn: yellow, info: dim, debug: dim }
  const least = ORDER.indexOf(level)
  const isNews = news()
  return (event: LogEvent) => {
    if (ORDER.indexOf(event.level) < least || !isNews(event.message)) return
    const time = new Date().toISOString().slice(11, 23)
    output.say(`${dim(time)} ${paint[event.level](event.level)} ${harmless(withReason(event))}`)
    // An expected error is a warning and needs no stack; neither does one that came from elsewhere.
    const { error } = event
    if (event.level !== 'error' || !(error instanceof Error) || PASSED_ON.has(error.name)) return
    // Not the further lines of a message, which stands above.
    const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    const own = frames.filter((frame) => !OURS.test(frame))
    if (own.length > 0) output.say(dim(harmlessLines(own.join('\n'))))
  }
}

/** One JSON value a line on stderr, for whatever collects logs. */
export async function jsonLog(output: Output, level: LogLevel): Promise<Logger> {
  const { logRecord } = await import('clew/config')
  const least = ORDER.indexOf(level)
  const isNews = news()
  return (event) => {
    if (ORDER.indexOf(event.level) < least || !isNews(event.message)) return
    output.say(harmlessJson(logRecord(event)))
  }
}

/** A broker that goes away is told once by each of its channels, all in the same words. */
function news(): (message: string) => boolean {
  let last = { message: '', at: Number.NEGATIVE_INFINITY }
  return (message) => {
    const now = performance.now()
    if (message === last.message && now - last.at < SAME_NEWS_MS) return false
    last = { message, at: now }
    return true
  }
}
