import { fileURLToPath } from 'node:url'
import { startRemote } from '../harness/remote.ts'
import type { Participant, Role } from './participant.ts'
import { NAME, type RunningPeer } from './running-peer.ts'

const PARTICIPANT = fileURLToPath(new URL('./participant.js', import.meta.url))

/** Starts a peer's service and then its caller, each in a process of its own. */
export async function startNodePeer(role: Omit<Role, 'side'>): Promise<RunningPeer> {
  const launch = (side: Role['side']) =>
    startRemote<Participant>(PARTICIPANT, [JSON.stringify({ ...role, side } satisfies Role)])
  const service = launch('service')
  const caller = launch('caller')
  const both = [caller, service]
  const stop = async () => {
    // The caller first: it must not find its service gone.
    for (const one of both) await one.stop()
  }
  try {
    await service.ask.start()
    await caller.ask.start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    hello: (name) => caller.ask.hello(name),
    load: (load) => caller.ask.load({ ...load, name: NAME }),
    async processorUs() {
      const used = await Promise.all(both.map(({ ask }) => ask.processorUs()))
      return used.reduce((sum, one) => sum + one, 0)
    },
    async flush() {
      await Promise.all(both.map(({ ask }) => ask.flush()))
    },
    stop,
  }
}
