import { readFile } from 'node:fs/promises'
import os from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** What a benchmark ran on. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  readonly clew: string
}

export async function describeMachine(): Promise<Machine> {
  const packageFile = fileURLToPath(import.meta.resolve('clew/package.json'))
  const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string }
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()}`,
    node: process.version,
    clew: version,
  }
}

/**
 * How busy the machine is while we do nothing: the share of all cores' time that others use, from 0
 * to 1, watched for some milliseconds.
 */
export async function otherWork(watchMs: number): Promise<number> {
  const before = coreTimes()
  await setTimeout(watchMs)
  const after = coreTimes()
  const passed = after.all - before.all
  return passed === 0 ? 0 : 1 - (after.idle - before.idle) / passed
}

function coreTimes(): { readonly all: number; readonly idle: number } {
  const times = os.cpus().map((core) => core.times)
  const all = times.flatMap((time) => Object.values(time)).reduce((sum, one) => sum + one, 0)
  return { all, idle: times.reduce((sum, { idle }) => sum + idle, 0) }
}

/** Processor time this process has used so far, its own and the kernel's for it, in microseconds. */
export function processorUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
