import { createInterface } from 'node:readline/promises'
import { usageFault } from '../fault.ts'
import { harmless } from '../harmless.ts'

/**
 * Asks before load goes to another machine: that may hold others up there.
 * @param address URL of the broker or of the route
 * @throws Fault when nobody can be asked and `yes` was not given, or the answer is no
 */
export async function confirmTarget(address: string, yes: boolean): Promise<void> {
  const host = hostOf(address)
  if (yes || isHere(host)) return
  const what = `this sends load to ${harmless(host)}, which is not this machine`
  const { stdin, stderr } = process
  if (stdin.isTTY === true && stderr.isTTY === true) {
    const asking = createInterface({ input: stdin, output: stderr })
    const answer = await asking.question(`${what}. Go on? [y/N] `).finally(() => asking.close())
    if (/^y(es)?$/i.test(answer.trim())) return
  }
  throw usageFault(what, {
    why: 'services there, and whoever uses them, may be held up',
    next: ['--yes   if that is meant'],
  })
}

export function hostOf(address: string): string {
  try {
    return new URL(address).hostname.replace(/^\[|\]$/g, '')
  } catch {
    return address
  }
}

/** Only what cannot be anybody else. */
export const isHere = (host: string) =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '::1' ||
  /^127(\.\d{1,3}){3}$/.test(host)
