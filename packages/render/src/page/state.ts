export const VIEWS = ['waterfall', 'flame', 'tree', 'table'] as const

export type View = (typeof VIEWS)[number]

/** What is looked at: all of it stands in the address, so that a link shows the same. */
export interface Place {
  readonly view: View
  /** Number of the trace, from 0. */
  readonly trace: number
  /** Microseconds; undefined for the whole trace. */
  readonly zoom: readonly [from: number, to: number] | undefined
  /** Id of the selected call; `#17` for the row of one that has no id of its own. */
  readonly selected: string
  readonly query: string
}

/** `v=flame&t=2&z=120-340ms&s=79b8ca640c90d8ee&q=err:1`, without what is as it begins. */
export function written({ view, trace, zoom, selected, query }: Place): string {
  const parts = [
    ['v', view === 'waterfall' ? '' : view],
    ['t', trace === 0 ? '' : String(trace + 1)],
    ['z', zoom === undefined ? '' : `${ms(zoom[0])}-${ms(zoom[1])}ms`],
    ['s', selected],
    ['q', query],
  ] as const
  return parts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
}

/** Reads an address's fragment; what is not understood is as it begins. */
export function read(fragment: string, traces: number): Place {
  const parts = new URLSearchParams(fragment.replace(/^#/, '').replaceAll('+', '%2B'))
  const view = VIEWS.find((one) => one === parts.get('v')) ?? 'waterfall'
  const trace = Number(parts.get('t') ?? 1) - 1
  const zoom = /^(-?[\d.]+)-(-?[\d.]+)ms$/.exec(parts.get('z') ?? '')
  const [from, to] = [Number(zoom?.[1]) * 1000, Number(zoom?.[2]) * 1000]
  return {
    view,
    trace: Number.isInteger(trace) && trace >= 0 && trace < traces ? trace : 0,
    zoom: from < to ? [from, to] : undefined,
    selected: parts.get('s') ?? '',
    query: (parts.get('q') ?? '').slice(0, 200),
  }
}

const ms = (us: number) => Math.round(us) / 1000
