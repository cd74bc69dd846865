/** One server-sent event. */
export interface ServerSentEvent {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/** Characters of one event; what is longer ends the stream. */
const LONGEST = 1_048_576

/** Events of a stream, as https://html.spec.whatwg.org/multipage/server-sent-events.html reads them. */
export async function* eventsIn(
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<ServerSentEvent> {
  if (body === null) return
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += decoder.decode(value, { stream: true })
      if (text.length > LONGEST) return
      const parts = text.split(/\r?\n\r?\n/u)
      text = parts.pop()!
      for (const part of parts) {
        const event = eventOf(part)
        if (event !== undefined) yield event
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function eventOf(text: string): ServerSentEvent | undefined {
  let [event, id] = ['message', undefined as string | undefined]
  const lines: string[] = []
  for (const line of text.split(/\r?\n/u)) {
    const colon = line.indexOf(':')
    // A line that begins with a colon is a sign of life.
    if (colon <= 0) continue
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    const name = line.slice(0, colon)
    if (name === 'event') event = value
    else if (name === 'id') id = value
    else if (name === 'data') lines.push(value)
  }
  return lines.length === 0 ? undefined : { event, data: lines.join('\n'), id }
}
