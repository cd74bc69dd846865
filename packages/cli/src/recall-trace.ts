import { setTimeout as delay } from 'node:timers/promises'
import { openRecaller } from 'clew/profile'
import type { Trace } from 'clew/trace'
import { Assembly, type Packet } from 'clew/trace/blocks'
import { openBroker } from './broker-address.ts'
import { callFault } from './call-fault.ts'
import { clientOf, collectorFault, tracePathOf } from './collector-source.ts'
import type { ClewContext } from './command.ts'
import { EXIT } from './exit.ts'
import { Fault, usageFault } from './fault.ts'
import { harmless } from './harmless.ts'

/** A trace as far as it is known, and how many answers brought something of it. */
export interface RecalledTrace {
  readonly trace: Trace
  readonly answers: number
}

/** Once answers come, what is later than this is not waited for. */
const QUIET_MS = 400

/**
 * Asks the services at a broker.
 * @throws Fault when the broker cannot be reached, nobody listens there or nobody knows of the trace
 */
export async function recallByBroker(
  { env }: ClewContext,
  id: string,
  { broker: address, wait }: { readonly broker: string | undefined; readonly wait: number },
): Promise<RecalledTrace> {
  if (id.length !== 32) {
    throw usageFault('services know traces by all 32 digits of their ids', {
      next: ['clew recall ID --collector URL   takes the first digits'],
    })
  }
  const broker = await openBroker(address, env)
  const connection = await broker.connect({}).catch((error: unknown) => {
    throw callFault(error)
  })
  const packets: Packet[] = []
  try {
    await using recaller = await openRecaller(connection.mailbox, (packet) => packets.push(packet))
    if (!(await recaller.ask([id]))) throw nobody(broker.name)
    await answered(packets, wait)
  } finally {
    await connection.close()
  }
  if (packets.length === 0) throw unknown(id)
  const assembly = new Assembly(id)
  for (const { root } of packets) if (root) assembly.addRoot(root.record, root, root.block)
  for (const { pieces } of packets) for (const piece of pieces) assembly.addPiece(piece)
  return { trace: assembly.finish(), answers: packets.length }
}

/** Has a collector ask them, and gets all that it has of the trace then. @throws Fault */
export async function recallByCollector(
  { env }: ClewContext,
  url: string,
  id: string,
): Promise<RecalledTrace> {
  const client = await clientOf(url, env)
  const { trace: traceId, answers } = await client.recall(id).catch(async (error: unknown) => {
    throw await collectorFault(error, url)
  })
  const { readTraceFile } = await import('./trace-file.ts')
  const { trace } = await readTraceFile([tracePathOf(url, traceId)])
  if (trace === undefined) throw unknown(id)
  return { trace, answers }
}

async function answered(packets: readonly Packet[], waitMs: number): Promise<void> {
  const begun = performance.now()
  let [count, lastMs] = [0, begun]
  while (performance.now() - begun < waitMs) {
    await delay(20)
    if (packets.length > count) {
      count = packets.length
      lastMs = performance.now()
    } else if (count > 0 && performance.now() - lastMs >= QUIET_MS) return
  }
}

const nobody = (broker: string) =>
  new Fault(`no service at ${harmless(broker)} can be asked`, {
    ...{ exit: EXIT.notFound, code: 'nobody_listens' },
    why: 'services answer that run with profile(), unless they were told not to',
    next: ['clew run FILE --profile', 'clew recall ID --broker URL   for another broker'],
  })

const unknown = (id: string) =>
  new Fault(`no service knows anything of trace ${id}`, {
    ...{ exit: EXIT.notFound, code: 'unknown_trace' },
    why: 'each process remembers its last 4 MiB of calls; those of a process that ended are gone',
  })
