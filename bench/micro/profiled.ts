import { type Call, type Handler, type Interceptor, memory } from 'clew'
import { profile, type Sink } from 'clew/profile'

/** The profiler of a process as users install it, its two interceptors taken by hand. */
export interface Profiled {
  readonly caller: Interceptor
  readonly callee: Interceptor
}

export async function openProfiled(host: string, sink?: Sink): Promise<Profiled> {
  const plugin = profile({ host, ...(sink !== undefined && { sink }) })
  const { mailbox, collectQueue } = await memory().connect({ owner: host })
  const onProblem = ({ message }: { readonly message: string }) => {
    throw new Error(message)
  }
  await plugin.start?.({ mailbox, collectQueue, onProblem })
  const { caller, callee } = plugin
  if (caller === undefined || callee === undefined) throw new Error('profile() has both sides')
  return { caller, callee }
}

/** Makes so many calls one after the other; gives how many bytes their replies brought, and at least one each. */
export async function callRepeatedly(
  send: Handler,
  times: number,
  make: (index: number) => Call,
): Promise<number> {
  let sum = 0
  for (let index = 0; index < times; index++) {
    const { attachment } = await send(make(index))
    sum += attachment === undefined ? 1 : attachment.length
  }
  return sum
}
