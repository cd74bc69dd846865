import { createHash } from 'node:crypto'
import { type Arrival, newCallId } from '../../call/index.ts'

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-([0-9a-f]{16})-/u

/**
 * The id of the call that handles a message: the same whenever the message is delivered again, and
 * another for each queue and each attempt. It is derived from the call that published the message,
 * else from the correlation id. Without either it is a new one: what reaches us through a Python
 * worker names that worker's caller, and is the same for all messages it sends.
 */
export function handlingId(
  arrival: Arrival,
  queue: string,
  service: string,
  method: string,
): string {
  const { traceparent } = arrival.headers
  const publisher = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined
  const seed = publisher ?? arrival.correlationId
  if (seed === '') return newCallId()
  const names = [seed, service, method, queue, arrival.attempt]
  const hex = createHash('sha256').update(JSON.stringify(names)).digest('hex')
  // Version 8: made by a rule of our own. The variant's digit is one of 8, 9, a and b.
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
