import { StoreError } from './store-error.ts'

/** Behind which trace a page begins. */
export interface Cursor {
  readonly order: 'newest' | 'slowest'
  /** Start or total of the last trace of the page before, microseconds. */
  readonly at: number
  readonly traceId: string
}

/** A cursor as it is handed out. */
export const encodeCursor = ({ order, at, traceId }: Cursor): string =>
  Buffer.from(`${order} ${at} ${traceId}`).toString('base64url')

/** @throws StoreError `cursor` where it is none of this order */
export function decodeCursor(text: string, order: Cursor['order']): Cursor {
  const written = text.length > 200 ? '' : Buffer.from(text, 'base64url').toString('latin1')
  const [, kind, at, traceId] =
    /^(newest|slowest) (-?\d{1,16}) ([0-9a-f]{32})$/u.exec(written) ?? []
  if (kind === order) return { order, at: Number(at), traceId: traceId! }
  throw new StoreError(
    'cursor',
    kind === undefined ? 'this is no cursor' : `this cursor is one of ${kind}, not ${order}`,
  )
}
