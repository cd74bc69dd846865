import { formatMs, loadNumber } from 'clew/trace'
import type { Output } from '../output.ts'
import type { Drive } from './drive.ts'

const LIVE_MS = 250
const PLAIN_MS = 5_000

/** Says how a load goes: over one line of a terminal, elsewhere a line every five seconds. */
export function watchDrive(output: Output, drive: Drive): () => void {
  let [answered, atMs] = [0, 0]
  const tell = () => {
    const { elapsedMs, plannedMs } = drive
    const rate = ((drive.answered - answered) * 1000) / Math.max(1, elapsedMs - atMs)
    ;[answered, atMs] = [drive.answered, elapsedMs]
    const lately = drive.takeLately()
    const parts = [
      `${seconds(elapsedMs)} of ${seconds(plannedMs)}`,
      `${loadNumber(drive.rate)}/s asked`,
      `${loadNumber(rate)}/s answered`,
      `${drive.inFlight} in flight`,
      `${drive.failed} failed`,
      `p50 ${formatMs(lately.quantile(0.5))} p99 ${formatMs(lately.quantile(0.99))}`,
    ].join(' · ')
    if (!output.live) output.say(parts)
    else output.sayOver(`${bar(elapsedMs / plannedMs)} ${parts}`.slice(0, output.talkWidth - 1))
  }
  const timer = setInterval(tell, output.live ? LIVE_MS : PLAIN_MS)
  return () => {
    clearInterval(timer)
    output.sayOver('')
  }
}

const seconds = (ms: number) => `${Math.floor(ms / 1000)} s`

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 10)
  return `[${'#'.repeat(full)}${'-'.repeat(10 - full)}]`
}
