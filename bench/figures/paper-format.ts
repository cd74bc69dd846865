import type { Call, Headers, HeaderValue, Plugin } from 'clew'

/** The moments of a call that the paper records. The name is also the key of the entry's time. */
export type PaperKind = 'rpc-request' | 'rpc-receive' | 'rpc-respond' | 'rpc-finish'

/** One of the paper's entries, as an AMQP table with its five keys: host, service, method, time, id. */
export type PaperEntry = Headers

export interface PaperFormatOptions {
  /** Name of this host in entries. */
  readonly host: string
  /**
   * The paper's first design: requests bring the callee everything its caller knows so far. The
   * paper dropped it; without it only replies carry entries.
   * @default false
   */
  readonly handDown?: boolean
  /** Takes the entries of every call that no worker made, when it has ended. @default nobody */
  readonly take?: (entries: readonly PaperEntry[]) => void
}

/** Header that carries the entries, an array of tables. */
const TRACES = 'traces'

/** What one worker knows: entries handed down to it, and its own with those of the calls it made. */
interface Log {
  readonly inherited: readonly PaperEntry[]
  readonly entries: PaperEntry[]
}

/**
 * Profiling as the paper describes it (section III): each side of a call appends two entries, and
 * the reply's headers bring the callee's entries and those of everything below it to the caller,
 * as an AMQP array of tables. Every hop reads all entries of its callees and writes them again.
 */
export function paperFormat({ host, handDown = false, take }: PaperFormatOptions): Plugin {
  // A worker's own calls share the values of the call it handles, by which its log is found.
  const logs = new WeakMap<Call['values'], Log>()
  const entry = (call: Call, kind: PaperKind): PaperEntry => ({
    host,
    service: call.service,
    method: call.method,
    [kind]: performance.timeOrigin + performance.now(),
    id: call.id,
  })
  return {
    name: 'paper-format',
    caller: (next) => async (call) => {
      const log = logs.get(call.values)
      const request = entry(call, 'rpc-request')
      const known = log === undefined ? [request] : [...log.inherited, ...log.entries, request]
      const sent = handDown ? { ...call, headers: { ...call.headers, [TRACES]: known } } : call
      // A call's entries join the log as one block, so those of concurrent calls never mix.
      const block: PaperEntry[] = [request]
      try {
        const reply = await next(sent)
        for (const below of entriesIn(reply.headers)) block.push(below)
        return reply
      } finally {
        block.push(entry(call, 'rpc-finish'))
        if (log === undefined) take?.(block)
        else for (const one of block) log.entries.push(one)
      }
    },
    callee: (next) => async (call) => {
      const log: Log = {
        inherited: entriesIn(call.headers),
        entries: [entry(call, 'rpc-receive')],
      }
      logs.set(call.values, log)
      const reply = await next(call)
      log.entries.push(entry(call, 'rpc-respond'))
      return { ...reply, headers: { ...reply.headers, [TRACES]: log.entries } }
    },
  }
}

function entriesIn(headers: Headers | undefined): readonly PaperEntry[] {
  const traces: HeaderValue | undefined = headers?.[TRACES]
  return Array.isArray(traces) ? (traces as readonly PaperEntry[]) : []
}
