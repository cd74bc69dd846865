import type { Column } from './format.ts'

/** A column with a value for every row; what is unknown is NaN. */
export function unpacked(column: Column, rows: number): Float64Array {
  const numbers = new Float64Array(rows)
  const put = (row: number, value: number | null) => {
    numbers[row] = value ?? Number.NaN
  }
  if (Array.isArray(column)) {
    for (let row = 0; row < rows; row++) put(row, column[row] ?? null)
    return numbers
  }
  const { at, values, rest } = column as Exclude<Column, readonly unknown[]>
  numbers.fill(rest ?? Number.NaN)
  for (const [index, row] of at.entries()) put(row, values[index] ?? null)
  return numbers
}
