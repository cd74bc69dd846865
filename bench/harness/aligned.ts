/** The same Markdown with the columns of its tables as wide as their widest cells: readable in a terminal. */
export function aligned(markdown: string): string {
  const lines = markdown.split('\n')
  const isRow = (index: number) => lines[index]?.startsWith('|') ?? false
  const out: string[] = []
  for (let from = 0; from < lines.length; ) {
    let to = from
    while (isRow(to)) to++
    if (to > from) out.push(...alignedTable(lines.slice(from, to)))
    else out.push(lines[to++]!)
    from = to
  }
  return out.join('\n')
}

/** @param rows the head, the rule with the columns' sides, and what follows */
function alignedTable(rows: readonly string[]): readonly string[] {
  const cells = rows.map((row) =>
    row
      .replace(/^\|/u, '')
      .replace(/\|\s*$/u, '')
      .split('|')
      .map((cell) => cell.trim()),
  )
  const right = (cells[1] ?? []).map((rule) => rule.endsWith(':'))
  const widths = right.map((_, column) =>
    Math.max(...cells.map((row, index) => (index === 1 ? 3 : (row[column] ?? '').length))),
  )
  return cells.map((row, index) => {
    const padded = widths.map((width, column) => {
      const cell = row[column] ?? ''
      if (index === 1) return right[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)
      return right[column] ? cell.padStart(width) : cell.padEnd(width)
    })
    return `| ${padded.join(' | ')} |`
  })
}
