import { ApiError } from '../http/api-error.ts'
import type { Route } from '../http/route.ts'
import { StoreError } from '../store/store-error.ts'

/** The same routes, telling what a store throws as what to do about it. */
export const telling = (routes: readonly Route[]): readonly Route[] =>
  routes.map((route) => ({
    ...route,
    async handle(asked) {
      try {
        return await route.handle(asked)
      } catch (error) {
        throw error instanceof StoreError ? asApiError(error) : error
      }
    },
  }))

function asApiError(cause: StoreError): ApiError {
  const { code } = cause
  if (code === 'cursor') {
    return new ApiError(400, 'bad_cursor', 'the cursor is none of this question', {
      ...{ advice: 'begin again without one', cause },
    })
  }
  if (code === 'costly' || code === 'timeout') {
    return new ApiError(422, 'too_costly', 'the question takes too much', {
      ...{ advice: 'ask about a shorter time, or add conditions to the filter', cause },
    })
  }
  if (code === 'cancelled') return new ApiError(499, 'cancelled', 'nobody waits for the answer')
  return new ApiError(503, `store_${code}`, 'the store cannot answer now', {
    ...{ advice: '/healthz tells how it is', retryAfterS: 5, cause },
  })
}
