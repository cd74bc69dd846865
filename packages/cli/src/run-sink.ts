import type { CollectorSettings, Config } from 'clew/config'
import type { Sink } from 'clew/profile'
import type { ClewContext } from './command.ts'
import { usageFault } from './fault.ts'
import { harmless } from './harmless.ts'

/** The token that a collector asks for: never an argument, which everybody on a machine can read. */
const TOKEN_VARIABLE = 'CLEW_COLLECTOR_TOKEN'
/** Services named to the collector; a process with more is known by these. */
const MOST_NAME = 100

/** Of the process that sends. */
export interface Sending {
  /** Of its services. */
  readonly names: readonly string[]
  readonly onProblem: (message: string) => void
}

/** Where the services of `clew run` send their traces: as the flag says, else the configuration. */
export async function collectorOf(
  flag: string | undefined,
  config: Config,
): Promise<CollectorSettings | undefined> {
  const { collectorSettings } = await import('clew/config')
  const configured = collectorSettings(config.values)
  if (flag === undefined) return configured
  // A token is for one collector, and what is worth keeping for them all.
  return configured?.to === flag ? configured : { keep: configured?.keep, to: flag }
}

/** @throws Fault for an address that is none, or a token that could be read on its way */
export async function sinkTo(
  { to, token, gzip, queue, keep: rules }: CollectorSettings,
  env: ClewContext['env'],
  { names, onProblem }: Sending,
): Promise<Sink> {
  const { brokerSink, httpSink, keep } = await import('clew/profile')
  const name = names.join(', ').slice(0, MOST_NAME)
  try {
    const sink =
      to === 'broker'
        ? brokerSink({ name, onProblem, queue })
        : httpSink({
            ...{ url: to, name, onProblem, gzip },
            token: token || env[TOKEN_VARIABLE] || undefined,
          })
    return rules === undefined ? sink : keep(rules, sink)
  } catch (error) {
    throw usageFault(harmless((error as Error).message), {
      ...{ code: 'collector', cause: error },
      next: ['--collector http://127.0.0.1:7117', '--collector broker'],
    })
  }
}
