const MOST_TRACES = 100
const MOST_CALLS = 20_000

/** Traces that are read from the store together: as many as can well be held at a time. */
export function* grouped<Row extends { readonly calls: number }>(
  rows: Iterable<Row>,
): Generator<readonly Row[]> {
  let [group, calls]: [Row[], number] = [[], 0]
  for (const row of rows) {
    const full = group.length >= MOST_TRACES || calls + row.calls > MOST_CALLS
    if (full && group.length > 0) {
      yield group
      ;[group, calls] = [[], 0]
    }
    group.push(row)
    calls += row.calls
  }
  if (group.length > 0) yield group
}
