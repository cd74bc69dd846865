/** A place on the way of the search: its number, the least number it leads back to, and what is left to follow. */
interface Visit {
  readonly id: string
  readonly order: number
  low: number
  next: number
}

/**
 * Groups of places of which each leads to each other (strongly connected components, Tarjan 1972,
 * without recursion). Places that only lead to themselves are none.
 */
export function circles(
  links: readonly { readonly from: string; readonly to: string }[],
): readonly (readonly string[])[] {
  const after = new Map<string, string[]>()
  for (const { from, to } of links) {
    if (from === to) continue
    if (!after.has(to)) after.set(to, [])
    const list = after.get(from)
    if (list === undefined) after.set(from, [to])
    else list.push(to)
  }
  const orders = new Map<string, number>()
  const open: string[] = []
  const isOpen = new Set<string>()
  const found: string[][] = []
  const enter = (id: string): Visit => {
    const order = orders.size
    orders.set(id, order)
    open.push(id)
    isOpen.add(id)
    return { id, order, low: order, next: 0 }
  }
  for (const start of after.keys()) {
    if (orders.has(start)) continue
    const way = [enter(start)]
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const to = after.get(at.id)![at.next++]
      if (to !== undefined) {
        const known = orders.get(to)
        if (known === undefined) way.push(enter(to))
        else if (isOpen.has(to)) at.low = Math.min(at.low, known)
        continue
      }
      way.pop()
      const above = way.at(-1)
      if (above !== undefined) above.low = Math.min(above.low, at.low)
      if (at.low !== at.order) continue
      const group = open.splice(open.lastIndexOf(at.id))
      for (const id of group) isOpen.delete(id)
      if (group.length > 1) found.push(group.sort())
    }
  }
  return found.sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
}
