/**
 * What a store could not do, by what to do next. `full`: no room, delete or make some. `failed`: the
 * engine or the disk failed, try again. `locked`: another process has the folder. `damaged`: what lies
 * there cannot be read. `costly`, `timeout`: ask for less. `cancelled`: the asker went away.
 * `cursor`: begin again from the first page.
 */
export type StoreErrorCode =
  | 'full'
  | 'failed'
  | 'locked'
  | 'damaged'
  | 'costly'
  | 'timeout'
  | 'cancelled'
  | 'cursor'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(`[${code}] ${message}`, options)
    this.code = code
  }
}
