import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { callTree, encodeTrace, type Load } from 'clew/trace'
import type { ClewContext } from '../command.ts'
import { fileFault } from '../fault.ts'
import { type Ask, Drive, type End } from './drive.ts'
import type { LoadPlan } from './plan.ts'
import { watchDrive } from './progress.ts'
import type { Arrivals } from './schedule.ts'

export interface SendOptions {
  readonly plan: LoadPlan
  readonly arrivals: Arrivals
  readonly maxInFlight: number
  readonly maxFailures: number
  /** File for all traces. */
  readonly out: string | undefined
  readonly load: Load
}

/** What was sent, and how it went. */
export interface Sent {
  readonly end: End
  readonly drive: Drive
}

/**
 * Sends a load, adds its traces to the sums, and tells how it goes. Ctrl-C ends the load and waits for
 * what is in flight; once more gives that up too.
 * @throws Fault when the file cannot be written
 */
export async function send(context: ClewContext, ask: Ask, options: SendOptions): Promise<Sent> {
  const { plan, arrivals, maxInFlight, maxFailures, out, load } = options
  const [stop, cancel] = [new AbortController(), new AbortController()]
  const onInterrupt = () => (stop.signal.aborted ? cancel : stop).abort()
  const file = out === undefined ? undefined : await openFile(out, () => stop.abort())
  process.on('SIGINT', onInterrupt)
  const drive = new Drive({
    ...{ plan, arrivals, maxInFlight, maxFailures, ask },
    ...{ stop: stop.signal, cancel: cancel.signal },
    take({ trace }) {
      if (trace === undefined) return
      load.add(callTree(trace))
      file?.write(encodeTrace(trace))
    },
  })
  const done = watchDrive(context.output, drive)
  try {
    const end = await drive.run()
    await file?.close()
    return { end, drive }
  } finally {
    done()
    process.off('SIGINT', onInterrupt)
  }
}

async function openFile(path: string, onError: () => void) {
  const stream = createWriteStream(path)
  let failure: unknown
  stream.on('error', (error) => {
    failure = error
    onError()
  })
  await once(stream, 'open').catch((error) => {
    throw fileFault('write', path, error)
  })
  return {
    write: (text: string) => void stream.write(text),
    async close() {
      if (failure === undefined) await new Promise<void>((resolve) => stream.end(() => resolve()))
      if (failure !== undefined) throw fileFault('write', path, failure)
    },
  }
}
