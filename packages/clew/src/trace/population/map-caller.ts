import { layerOfOperation } from '../analysis/layer.ts'
import { placesWithParents } from '../analysis/walk.ts'
import type { CallNode, CallTree, FoldedCalls } from '../call-node.ts'
import type { Attributes, CallName } from '../entry.ts'
import type { MapLinkKind, MapPlaceKind } from './service-map-shape.ts'

/** One end of a call: a place, and what of it. */
export interface MapEnd {
  readonly kind: MapPlaceKind
  readonly name: string
  readonly method: string
}

/** A call as a map sees it. `local` is work of its caller, `by` who asked for it. */
export interface MappedCall {
  readonly call: CallNode
  readonly by: MapEnd
  readonly end: MapEnd
  readonly link: MapLinkKind
  readonly local: boolean
}

const OUTSIDE: MapEnd = { kind: 'outside', name: 'outside', method: '' }

/** Every call of a tree with who asked for it; what was made up to hold others is none. */
export function mappedCalls(tree: CallTree): readonly MappedCall[] {
  const { order, parents } = placesWithParents(tree.root)
  const ends: MapEnd[] = []
  const mapped: MappedCall[] = []
  for (const [index, call] of order.entries()) {
    const parent = parents[index]!
    const above = parent < 0 ? OUTSIDE : ends[parent]!
    if (call.placeholder) {
      ends.push(
        isNamed(call) ? { kind: 'service', name: call.service, method: call.method } : OUTSIDE,
      )
      continue
    }
    const by = above === OUTSIDE && isTold(call, parent < 0) ? callerOf(call.from) : above
    const local = call.edge === 'local' && by.kind === 'service' && by.name === call.service
    const end = local ? by : endOfCall(call, by)
    // What an operation's record has below it is still asked for by the service.
    ends.push(end.kind === 'db' || end.kind === 'cache' ? by : end)
    mapped.push({ call, by, end, link: linkOf(call), local })
  }
  return mapped
}

const callerOf = ({ service, method }: CallName): MapEnd => ({
  ...{ kind: 'service', name: service, method },
})

/**
 * Whether a call whose caller has no call of its own names it. A root call that is named after its own
 * caller went to nobody knows whom; what goes to a store or is published did not.
 */
function isTold(call: CallNode, isRoot: boolean): call is CallNode & { readonly from: CallName } {
  const { from, service, edge, handleMs } = call
  if (from === undefined || from.service === '') return false
  if (!isRoot || from.service !== service) return true
  return edge === 'down' || (edge === 'event' && handleMs === undefined)
}

/** Where merged calls went. */
export function endOfFold(fold: FoldedCalls, by: MapEnd): MapEnd {
  const { service, method, edge } = fold
  if (edge !== 'down') return { kind: 'service', name: service, method }
  return {
    kind: layerOfOperation(method),
    name: storeName(service, by, layerOfOperation(method)),
    method,
  }
}

function endOfCall(call: CallNode, by: MapEnd): MapEnd {
  const { service, method, edge, requestMs, handleMs, attributes } = call
  if (edge === 'down') {
    const kind = layerOf(method, attributes)
    return { kind, name: storeName(service, by, kind), method }
  }
  const published = edge === 'event' && requestMs !== undefined && handleMs === undefined
  if (published)
    return {
      kind: 'event',
      name: service === by.name ? method : `${service}.${method}`,
      method: '',
    }
  return { kind: 'service', name: service, method }
}

/** Other systems say what kind of store it is; ours is told by the statement. */
function layerOf(method: string, attributes: Attributes | undefined): 'db' | 'cache' {
  const system =
    attributes?.['db.system'] ?? attributes?.['db.system.name'] ?? attributes?.['db.type']
  if (system === undefined || system === 'other') return layerOfOperation(method)
  return /redis|memcache|valkey/iu.test(String(system)) ? 'cache' : 'db'
}

/** A store that nobody named is its service's own. */
const storeName = (service: string, by: MapEnd, kind: string) =>
  service === by.name ? `${service}.${kind === 'cache' ? 'cache' : 'db'}` : service

const linkOf = ({ edge }: CallNode): MapLinkKind =>
  edge === 'down' ? 'down' : edge === 'event' || edge === 'next' ? 'event' : 'call'

/** A relay through a peer that keeps no entries has its name; what stands for a lost call has none. */
const isNamed = ({ service }: CallNode) => service !== '' && service !== 'unknown'
