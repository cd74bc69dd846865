import type { Sink } from 'clew/profile'

/** Takes traces as they came and counts them: what a sink adds is its own. */
export function countingSink(): Sink {
  const counts = { taken: 0, written: 0, dropped: 0 }
  return {
    take: () => {
      throw new Error('whoever takes packets gets nothing else')
    },
    takePacket: ({ root }) => {
      counts.taken += root?.block === undefined ? 0 : 1
    },
    flush: async () => {},
    close: async () => {},
    counts,
  }
}
