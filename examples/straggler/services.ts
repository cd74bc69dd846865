import { setTimeout as sleep } from 'node:timers/promises'
import { clusterProxy, rpc, type ServiceClass } from 'clew'

export interface Leaf {
  search(query: string): Promise<number>
}

export interface StragglerOptions {
  /** @default 10 */
  readonly leaves?: number
  /** Which leaf is slow, from 1. @default 7 */
  readonly slow?: number
  /** By how many milliseconds it is slower than the others. @default 100 */
  readonly byMs?: number
}

/** What every leaf needs for an answer, in milliseconds. */
const USUAL_MS = 5

export function leafName(position: number): string {
  return `leaf_${String(position).padStart(2, '0')}`
}

/** A root that asks all its leaves at once and must wait for the slowest. */
export function straggler(options: StragglerOptions = {}): readonly ServiceClass[] {
  const { leaves = 10, slow = 7, byMs = 100 } = options
  const names = Array.from({ length: leaves }, (_, index) => leafName(index + 1))

  class RootService {
    static readonly name = 'straggler_root'
    services = clusterProxy<Readonly<Record<string, Leaf>>>()

    @rpc async search(query: string): Promise<number> {
      const found = await Promise.all(names.map((name) => this.services[name]!.search(query)))
      return found.reduce((sum, hits) => sum + hits, 0)
    }
  }

  return [RootService, ...names.map((name, index) => leaf(name, index + 1 === slow ? byMs : 0))]
}

function leaf(serviceName: string, extraMs: number): ServiceClass {
  return class implements Leaf {
    static readonly name = serviceName

    @rpc async search(query: string): Promise<number> {
      await sleep(USUAL_MS + extraMs)
      return query.length
    }
  }
}

/** For `clew run examples/straggler/services.ts`; SLOWER_BY_MS says how slow the slow leaf is. */
export const services = straggler({ byMs: Number(process.env.SLOWER_BY_MS ?? 100) })
