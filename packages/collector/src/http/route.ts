/** What a token allows. Each includes nothing of the others but that `admin` may do all. */
export type Role = 'ingest' | 'read' | 'admin'

/** Who asks, as far as it was proved. */
export interface Subject {
  /** Name of the token; `local` where none is asked for. */
  readonly name: string
  /** Only what is this tenant's is given or taken. Never from a header or parameter. */
  readonly tenant: string
  readonly roles: readonly Role[]
  /** Fires when they may no more; what never ends by itself ends then. Absent where that cannot be. */
  readonly ended?: AbortSignal | undefined
}

/** A request that was let in. */
export interface Asked {
  readonly request: Request
  readonly subject: Subject
  /** Of the peer, as its connection says; empty where there is none, as in tests without a port. */
  readonly address: string
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Ends when the asker goes away or the request takes too long. */
  readonly signal: AbortSignal
}

/** A parameter of a route, as its OpenAPI description tells. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly description: string
  readonly required?: boolean
  /** A JSON schema. */
  readonly schema: object
}

/** One thing that can be asked of a collector. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** As OpenAPI writes it: `/api/traces/{id}`. */
  readonly path: string
  /** `open` is for whoever can reach the port. */
  readonly role: Role | 'open'
  /**
   * Whether the audit log tells who did it: a `change` is written there before it is done, or is not done.
   * @default 'change' for role `admin` and for DELETE, 'read' below `/api/traces` and for `/api/tail`, else 'no'
   */
  readonly audit?: 'change' | 'read' | 'no'
  /** Names the operation in OpenAPI. */
  readonly name: string
  readonly summary: string
  /** All that there are: a question that has others is refused before it comes to the route. */
  readonly parameters?: readonly Parameter[]
  /** JSON schemas of the body and of the answer; absent where it is not JSON. */
  readonly body?: object
  readonly answer?: object
  /** Media type of the answer. @default 'application/json' */
  readonly produces?: string
  /** @throws ApiError what the asker is told */
  handle(asked: Asked): Promise<Response>
}
