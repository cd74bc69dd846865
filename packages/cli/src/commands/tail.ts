import { setTimeout as wait } from 'node:timers/promises'
import type { TailEvent } from '@clew/collector/client'
import {
  COLLECTOR_FLAGS,
  type CollectorFlags,
  clientOf,
  collectorFault,
  collectorUrl,
} from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { jsonFlag } from '../flags.ts'
import { harmless, harmlessJson } from '../harmless.ts'

interface Flags extends Pick<CollectorFlags, 'collector' | 'limit'> {
  readonly json: boolean
}

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 5_000

export const tailCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Watch traces as a collector gets them',
    usage: '[FILTER…] [FLAGS]',
    examples: [
      { input: 'tail', brief: 'every trace, a line each' },
      { input: 'tail failed:true', brief: 'requests that fail, and where it began' },
      { input: "tail 'total:>1s' --json", brief: 'one JSON value a line, for a script' },
    ],
    description: [
      'Ends with Ctrl-C, or after --limit traces. Where the collector goes away it is tried again, and what came meanwhile is told, as far as it is among the last 1,000.',
    ],
  },
  parameters: {
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'FILTER', brief: 'conditions, as of clew find' },
    },
    flags: {
      collector: COLLECTOR_FLAGS.collector,
      limit: { ...COLLECTOR_FLAGS.limit, brief: 'end after so many traces (default: never)' },
      json: jsonFlag('each trace as a JSON value of a line'),
    },
  },
  run: tail,
})

async function tail(
  context: ClewContext,
  { collector, limit = Number.POSITIVE_INFINITY, json }: Flags,
  ...words: readonly string[]
): Promise<ExitCode> {
  const { output } = context
  const url = collectorUrl(context, { collector })
  const client = await clientOf(url, context.env)
  const filter = words.join(' ')
  const { isFailed, tailLine } = await import('../found-traces.ts')
  let [left, waitMs] = [limit, 0]
  let after: string | undefined
  const tell = (event: TailEvent) => {
    if ('missed' in event) {
      output.say(`note: ${event.missed} traces were not told: they came faster than they were read`)
      return
    }
    left--
    if (json) output.print(harmlessJson(event.trace))
    else {
      const line = harmless(tailLine(event.trace)).slice(0, Math.max(40, output.width))
      output.print(isFailed(event.trace) ? output.paint.red(line) : line)
    }
  }
  for (;;) {
    try {
      const onId = (id: string) => {
        after = id
      }
      for await (const event of client.tail({ filter, after, onId })) {
        waitMs = 0
        tell(event)
        if (left <= 0) return EXIT.ok
      }
    } catch (error) {
      const fault = await collectorFault(error, url, filter)
      // The first time it is told; whoever watches already is not to lose it for a restart.
      if (after === undefined && waitMs === 0) throw fault
      if ((error as { status?: number }).status !== 0 && !(error instanceof TypeError)) throw fault
    }
    waitMs = Math.min(LONGEST_RETRY_MS, Math.max(FIRST_RETRY_MS, waitMs * 2))
    output.say(`the collector at ${harmless(url)} went away; trying again`)
    await wait(waitMs)
  }
}
