import type { Problem } from './broker.ts'
import type { Interceptor } from './interceptor.ts'

/** The header in which a caller says who may see what: on a request, by HTTP as by AMQP. */
export const GRANT_HEADER = 'clew-grant'

/**
 * A grant, or what gives one for each call, told the service that is called. Undefined: that one is
 * shown none.
 */
export type GrantSource = string | ((service: string) => Drawn | Promise<Drawn>)

type Drawn = string | undefined

/** Longer ones are refused by whoever verifies, so they are not sent. */
const MOST_CHARACTERS = 4096
/** How long a call waits for its grant at the most, in milliseconds. */
const PATIENCE_MS = 1000
/** A source that keeps failing is told of at most this often. */
const QUIET_MS = 10_000

/**
 * Shows a grant with every call. One that cannot be had is told and the call goes without: a grant
 * decides what is seen, never whether the call works.
 */
export function presenting(source: GrantSource, tell: (problem: Problem) => void): Interceptor {
  let toldAt = Number.NEGATIVE_INFINITY
  const failed = (error: unknown): undefined => {
    if (performance.now() - toldAt < QUIET_MS) return
    toldAt = performance.now()
    const message =
      'there is no grant to show; calls go on without, and their replies bring no trace'
    tell({ kind: 'grant_missing', message, error })
  }
  const draw = (service: string): Drawn | Promise<Drawn> => {
    try {
      const drawn = typeof source === 'string' ? source : source(service)
      return drawn instanceof Promise ? inTime(drawn).catch(failed) : drawn
    } catch (error) {
      return failed(error)
    }
  }
  return (next) => (call) => {
    if (call.edge === 'down') return next(call)
    const show = (grant: string | undefined) => {
      if (typeof grant !== 'string' || grant === '' || grant.length > MOST_CHARACTERS) {
        if (grant !== undefined) {
          failed(new TypeError(`a grant is a text of 1 to ${MOST_CHARACTERS} characters`))
        }
        return next(call)
      }
      const headers = Object.assign(Object.create(null), call.headers, { [GRANT_HEADER]: grant })
      return next({ ...call, headers })
    }
    const drawn = draw(call.service)
    return drawn instanceof Promise ? drawn.then(show) : show(drawn)
  }
}

async function inTime(drawn: Promise<Drawn>): Promise<Drawn> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`the source of grants gave none within ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  )
  try {
    return await Promise.race([drawn, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
