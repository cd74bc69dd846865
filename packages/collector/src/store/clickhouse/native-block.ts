/** A column of a block in ClickHouse's Native format: its values are encoded already. */
export interface Column {
  readonly name: string
  /** As ClickHouse names it. */
  readonly type: string
  readonly rows: number
  readonly bytes: Uint8Array
}
