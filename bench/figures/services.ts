import { clusterProxy, proxy, rpc, type ServiceClass } from 'clew'

/** Processes over which a system's services are spread. A chain's calls go from one to the next. */
export const HOSTS = 2

/** How the services of a figure call each other. */
export type Shape = 'depth' | 'together' | 'inSeries'

/** Size of the call that wakes processes up before others are timed. */
export const WARM_UP = 1

/** How many calls there are in all when the client calls once. */
export function callsOf(shape: Shape, size: number): number {
  return shape === 'depth' ? size : size + 1
}

/** A service of the chain as its callers see it. */
export interface Link {
  /** Makes a chain of so many calls, itself counted; returns how long it became. */
  callNextLink(levels: number): Promise<number>
}

/** The service that fans out, as its callers see it. */
export interface Hub {
  /** Calls so many services at once; returns how many answered. */
  callTogether(width: number): Promise<number>
  /** Calls them one after the other. */
  callInSeries(width: number): Promise<number>
}

/** Wire names; each has 12 characters, as has every method. */
export function linkName(letter: string, index: number): string {
  return `link_${letter}_${String(index).padStart(5, '0')}`
}

export function hubName(letter: string): string {
  return `main_${letter}_00000`
}

/**
 * The services of one host: every `HOSTS`th link of the chain, and on the first host the hub, whose
 * leaves are the links.
 */
export function servicesOf(letter: string, host: number, links: number): readonly ServiceClass[] {
  const services: ServiceClass[] = host === 0 ? [hub(letter, links)] : []
  for (let index = host; index < links; index += HOSTS) services.push(link(letter, index))
  return services
}

function link(letter: string, index: number): ServiceClass {
  const following = linkName(letter, index + 1)
  class ChainLink implements Link {
    static readonly name: string = linkName(letter, index)
    next = proxy<Link>(following)
    @rpc async callNextLink(levels: number): Promise<number> {
      return levels <= 1 ? 1 : 1 + (await this.next.callNextLink(levels - 1))
    }
  }
  return ChainLink
}

function hub(letter: string, links: number): ServiceClass {
  const names = Array.from({ length: links }, (_, index) => linkName(letter, index))
  class FanHub implements Hub {
    static readonly name: string = hubName(letter)
    links = clusterProxy<Readonly<Record<string, Link>>>()
    @rpc async callTogether(width: number): Promise<number> {
      const replies = names.slice(0, width).map((name) => this.links[name]!.callNextLink(1))
      const answers = await Promise.all(replies)
      return answers.reduce((sum, answer) => sum + answer, 0)
    }
    @rpc async callInSeries(width: number): Promise<number> {
      let sum = 0
      for (const name of names.slice(0, width)) sum += await this.links[name]!.callNextLink(1)
      return sum
    }
  }
  return FanHub
}
