import type { Delivery } from 'clew'
import { countBytes } from '../micro/suite.ts'
import { measureWire } from './wire.ts'

/** Figures by their names; all of one call, and none that the machine's speed has a part in. */
export type Figures = Readonly<Record<string, number>>

const DELIVERIES: readonly Delivery[] = ['fast', 'nameko']
const COUNTS = 5

/** Steps of the suite `micro` whose bytes are watched, and what they are called here. */
const ALLOCATED: Readonly<Record<string, string>> = {
  caller: 'bytes allocated: caller’s side of profiling',
  callee: 'bytes allocated: callee’s side of profiling',
  call: 'bytes allocated: profiling, both sides and messages',
  memoryUntraced: 'bytes allocated: whole call over memory(), untraced',
  memoryTraced: 'bytes allocated: whole call over memory(), traced',
}

/**
 * Measures all figures.
 * @param url of a RabbitMQ
 * @param program compiled, that does the steps of the suite `micro`
 */
export async function measureFigures(
  url: string,
  program: string,
  say: (line: string) => void,
): Promise<Figures> {
  return { ...(await allocated(program, say)), ...(await moved(url, say)) }
}

async function allocated(program: string, say: (line: string) => void): Promise<Figures> {
  const steps = Object.keys(ALLOCATED).map((key) => ({ key, large: false }))
  const bytes = await countBytes(program, steps, COUNTS, say)
  return Object.fromEntries(steps.map(({ key }) => [ALLOCATED[key]!, bytes.get(key)!]))
}

async function moved(url: string, say: (line: string) => void): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const delivery of DELIVERIES) {
    for (const traced of [false, true]) {
      const how = `${delivery}, ${traced ? 'traced' : 'untraced'}`
      say(`counting what moves over RabbitMQ: ${how}`)
      for (const { errand, ...sides } of await measureWire(url, { delivery, traced })) {
        for (const [side, { messages, frames, bytes }] of Object.entries(sides)) {
          figures[`messages on the wire of ${errand}: ${side}, ${how}`] = messages
          figures[`frames on the wire of ${errand}: ${side}, ${how}`] = frames
          figures[`bytes on the wire of ${errand}: ${side}, ${how}`] = bytes
        }
      }
    }
  }
  return figures
}
