import { type Cell, cellKey, packagesOf } from './kinds.ts'
import { namekoPython, startNamekoPeer } from './nameko-peer.ts'
import { startNodePeer } from './node-peer.ts'
import { installPackages } from './packages.ts'
import type { Settings } from './program.ts'
import type { RunningPeer } from './running-peer.ts'

/**
 * Starts what a cell measures; its traces go to the sink.
 * @throws Error that tells why it cannot be had here
 */
export type Start = (cell: Cell, sink: string) => Promise<RunningPeer>

/** Installs what cells need, as far as it can be had, before any of them starts. */
export async function prepareStart(
  cells: readonly Cell[],
  url: string,
  say: (line: string) => void,
): Promise<Start> {
  const missing = new Map<string, string>()
  for (const folder of packagesOf(cells)) {
    const reason = await installPackages(folder, say)
    if (reason !== undefined) missing.set(folder, reason)
  }
  const wantsPython = cells.some(({ kind }) => kind.program === undefined)
  const environment = wantsPython ? await namekoPython(say) : undefined
  return async (cell, sink) => {
    for (const folder of packagesOf([cell])) {
      const reason = missing.get(folder)
      if (reason !== undefined) throw new Error(reason)
    }
    const { kind, tracer } = cell
    const settings: Settings = {
      url,
      // Two runs on one broker must not answer each other's calls.
      service: `bench_peers_${cellKey(cell)}_${process.pid}`,
      guarantees: kind.guarantees,
      sink: tracer === undefined ? undefined : `${sink}/${cellKey(cell)}`,
    }
    if (kind.program !== undefined) {
      return startNodePeer({ program: kind.program, tracing: tracer?.program, settings })
    }
    if (environment === undefined || 'missing' in environment) {
      throw new Error(environment?.missing)
    }
    return startNamekoPeer(environment.python, settings)
  }
}
