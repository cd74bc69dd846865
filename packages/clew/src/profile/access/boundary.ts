import {
  type Admission,
  type Boundary,
  ContextValues,
  GRANT_HEADER,
  type Headers,
  type Passage,
  type Visitor,
} from '../../call/index.ts'
import { FOREIGN } from '../foreign.ts'
import { parseTraceContext } from '../trace-context.ts'
import type { Access } from './access.ts'
import { shown } from './refusal.ts'
import type { Grant, Judgement } from './verifier.ts'
import { VISIT, Visit } from './visit.ts'

const NO_HEADERS: Headers = Object.freeze(Object.create(null))

const NO_VERIFIER = 'this service verifies no grants (profile: access.verify)'

/**
 * Where callers come from outside, by HTTP or WebSocket: without a valid grant nothing that they say
 * is believed, and nothing of the inside leaves.
 * @param fullOnly whether only grants of the full view continue a foreign trace: where strangers share
 *   the broker, the trace's id says whose inbox gets its pieces
 */
export function boundaryOf(access: Access, fullOnly: boolean): Boundary {
  return {
    async admit(visitor) {
      const token = visitor.header(GRANT_HEADER)
      const { verifier, refusals } = access
      if (token === undefined || token === '') {
        return new Admitted(access, visitor, fullOnly, undefined, undefined)
      }
      if (verifier === undefined) {
        refusals.take({ code: 'unknown_key', reason: NO_VERIFIER }, visitor.service)
        return new Admitted(access, visitor, fullOnly, undefined, `unknown_key: ${NO_VERIFIER}`)
      }
      const { service } = visitor
      const { grant, refusal } = await judged(verifier.verify(token, { service }))
      if (refusal !== undefined) refusals.take(refusal, service)
      const refused = refusal && `${refusal.code}: ${refusal.reason}`
      return new Admitted(access, visitor, fullOnly, grant, refused)
    },
  }
}

/** Only a verifier of somebody's own making rejects; what it could not judge is not believed. */
async function judged(judging: Promise<Judgement>): Promise<Judgement> {
  try {
    return await judging
  } catch (error) {
    const reason = `it could not be judged: ${shown(error instanceof Error ? error.message : error)}`
    return { refusal: { code: 'malformed', reason } }
  }
}

class Admitted implements Admission {
  readonly refused: string | undefined
  readonly #access: Access
  readonly #visitor: Visitor
  readonly #fullOnly: boolean
  readonly #grant: Grant | undefined
  /** The grant was used once already, to be admitted: that covers the first request. */
  #first = true
  /** On the monotonic clock: whatever clock the verifier goes by, the grant has expired by then. */
  readonly #overAt: number

  constructor(
    access: Access,
    visitor: Visitor,
    fullOnly: boolean,
    grant: Grant | undefined,
    refused: string | undefined,
  ) {
    this.#access = access
    this.#visitor = visitor
    this.#fullOnly = fullOnly
    this.#grant = grant
    this.refused = refused
    const livesMs = grant === undefined ? 0 : grant.expiresMs - grant.issuedMs
    this.#overAt = performance.now() + livesMs
  }

  pass(): Passage {
    const { withoutGrant, aliases, verifier } = this.#access
    // A socket may ask for the first time long after it was opened.
    let grant = performance.now() > this.#overAt ? undefined : this.#grant
    if (!this.#first && grant !== undefined && verifier !== undefined) {
      const { service } = this.#visitor
      if (verifier.again(grant, { service }) !== undefined) grant = undefined
    }
    const values = new ContextValues()
    const visit = new Visit(grant?.scope ?? withoutGrant, aliases)
    values.set(VISIT, visit)
    return { headers: this.#context(grant, values), values, depart: () => visit.headers() }
  }

  /** The visitor's trace context where it is believed; else it is kept as an attribute. */
  #context(grant: Grant | undefined, values: ContextValues): Headers {
    // A socket's first request belongs to what its own request said; the ones after it do not.
    const first = this.#first
    this.#first = false
    const traceparent = this.#visitor.header('traceparent')
    if (!first || traceparent === undefined) return NO_HEADERS
    const tracestate = this.#visitor.header('tracestate')
    const context = parseTraceContext(traceparent, tracestate, true)
    if (context === undefined) return NO_HEADERS
    if (grant === undefined || (this.#fullOnly && grant.scope !== 'full')) {
      values.set(FOREIGN, { trace: context.traceId, parent: context.parentId })
      return NO_HEADERS
    }
    const headers = Object.create(null) as Record<string, string>
    headers.traceparent = traceparent
    if (context.state !== undefined) headers.tracestate = context.state
    return headers
  }
}
