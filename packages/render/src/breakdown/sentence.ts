import { formatMs, formatShare, type Layer, type RequestBreakdown } from 'clew/trace'

/** Kinds of request that are told in words: of more, a table tells more. */
const MOST_TOLD = 4

export const QUESTION = 'Where does the time of each request type go?'

const PLACES: Readonly<Record<Layer, (service: string) => string>> = {
  self: (service) => `the code of ${service}`,
  db: (service) => `the database of ${service}`,
  cache: (service) => `the cache of ${service}`,
  queue: (service) => `messages to and from ${service}`,
  rpc: (service) => `waiting for ${service}, which keeps no profile`,
}

/** What each layer's time is, for a legend. */
export const LAYER_WORDS: Readonly<Record<Layer, string>> = {
  self: "self: the service's own code",
  db: 'db: its database',
  cache: 'cache: its cache',
  queue: 'queue: network, broker, and waiting for a worker',
  rpc: 'rpc: waiting for a service that keeps no profile',
}

/** The answer in words: of each kind of request, those that take most time in all first. */
export function breakdownSentences(requests: readonly RequestBreakdown[]): readonly string[] {
  return requests.slice(0, MOST_TOLD).map(({ request, p50Ms, parts }) => {
    const [first, second] = parts.map(
      ({ service, layer, share }) => `${formatShare(share)} ${wentTo(service, layer)}`,
    )
    const places = second === undefined ? first : `${first}, ${second}`
    return `${request} takes ${formatMs(p50Ms)} in the median: ${places}.`
  })
}

const wentTo = (service: string, layer: Layer) =>
  `${layer === 'queue' ? 'on ' : layer === 'rpc' ? '' : 'in '}${PLACES[layer](service)}`
