import { randomBytes } from 'node:crypto'
import { ApiError } from '../http/api-error.ts'
import type { Asked, Route } from '../http/route.ts'
import type { AuditLog, AuditRecord } from './audit-log.ts'

/** The same route, of which the log tells who used it, where that matters ({@link Route.audit}). */
export function audited(route: Route, log: AuditLog): Route {
  const kind = route.audit ?? usual(route)
  if (kind === 'no') return route
  return {
    ...route,
    async handle(asked) {
      const record = recordOf(route, asked, kind)
      if (kind === 'change') {
        try {
          await log.write({ ...record, result: 'asked' })
        } catch (cause) {
          throw new ApiError(503, 'audit', 'nothing was changed: the audit log cannot be written', {
            advice: 'see /healthz of the collector; most often its disk is full',
            ...{ retryAfterS: 30, cause },
          })
        }
      }
      try {
        const response = await route.handle(asked)
        const { status } = response
        log.note({ ...record, result: status < 400 ? 'ok' : 'refused', status })
        return response
      } catch (error) {
        const status = error instanceof ApiError ? error.status : 500
        log.note({ ...record, result: status < 500 ? 'refused' : 'failed', status })
        throw error
      }
    },
  }
}

function usual({ method, path, role }: Route): 'change' | 'read' | 'no' {
  if (role === 'admin' || method === 'DELETE') return 'change'
  return path.startsWith('/api/traces') || path === '/api/tail' ? 'read' : 'no'
}

function recordOf(
  route: Route,
  { subject, address, params, query }: Asked,
  kind: 'change' | 'read',
): AuditRecord {
  const { name, tenant } = subject
  const id = kind === 'change' ? randomBytes(8).toString('hex') : undefined
  return {
    who: { name, tenant, address },
    what: route.name,
    route: `${route.method} ${route.path}`,
    params: { ...Object.fromEntries(query), ...params },
    result: 'asked',
    id,
  }
}
