import { readFile } from 'node:fs/promises'

/** Processor time is told in these, on every Linux that Node runs on. */
const TICKS_PER_S = 100

/** Processor time that another process has used so far, seconds. Linux only. */
export async function processorSOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
}

/** The most memory that another process has had, bytes. Linux only. */
export async function peakBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/u.exec(status)?.[1] ?? 0) * 1024
}
