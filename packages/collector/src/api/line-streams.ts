import { setImmediate as turn } from 'node:timers/promises'
import { ApiError } from '../http/api-error.ts'
import type { Asked } from '../http/route.ts'

/** Streams at a time, of one tenant and of all: each holds what it will send next. */
const MOST_OF_ONE = 8
const MOST_STREAMS = 32
/** Whoever takes nothing for so long has gone, or does not mean well. Milliseconds. */
const USUAL_PATIENCE_MS = 60_000

/** Characters that are sent at a time, about. */
const AT_A_TIME = 32_768

/** Lines of trace files, sent as fast as they are taken. */
export class LineStreams {
  readonly #patienceMs: number
  /** Tenants, each as often as it has a stream. */
  readonly #running: string[] = []

  /** @param patienceMs @default 60,000 */
  constructor(patienceMs = USUAL_PATIENCE_MS) {
    this.#patienceMs = patienceMs
  }

  /**
   * Ends when the asker goes away, or takes nothing for a minute.
   * @throws ApiError 429 where the tenant has 8 already, or all have 32
   */
  answer(
    lines: Iterator<string> | AsyncIterator<string>,
    headers: Readonly<Record<string, string>>,
    { subject: { tenant }, signal }: Pick<Asked, 'subject' | 'signal'>,
  ): Response {
    const own = this.#running.filter((one) => one === tenant).length
    if (own >= MOST_OF_ONE || this.#running.length >= MOST_STREAMS) {
      throw new ApiError(429, 'busy', 'too many are reading traces', { retryAfterS: 5 })
    }
    this.#running.push(tenant)
    const encoder = new TextEncoder()
    let [isOver, timer] = [false, undefined as NodeJS.Timeout | undefined]
    const end = async () => {
      if (isOver) return
      isOver = true
      this.#running.splice(this.#running.indexOf(tenant), 1)
      clearTimeout(timer)
      await lines.return?.()
    }
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        clearTimeout(timer)
        try {
          // Where what is sent is taken at once, others would have no turn at all.
          await turn()
          signal.throwIfAborted()
          const { text, done } = await some(lines)
          if (text !== '') controller.enqueue(encoder.encode(text))
          if (done) controller.close()
          if (done) await end()
        } catch (error) {
          await end()
          throw error
        }
        if (isOver) return
        timer = setTimeout(() => {
          controller.error(new Error(`nothing was taken for ${this.#patienceMs} ms`))
          void end()
        }, this.#patienceMs)
        timer.unref()
      },
      cancel: end,
    })
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson', ...headers } })
  }
}

async function some(lines: Iterator<string> | AsyncIterator<string>) {
  let text = ''
  while (text.length < AT_A_TIME) {
    const next = await lines.next()
    if (next.done === true) return { text, done: true }
    text += next.value
  }
  return { text, done: false }
}
