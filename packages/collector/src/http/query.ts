import { ApiError } from './api-error.ts'
import type { Route } from './route.ts'

const LONGEST_TOLD = 64

/**
 * A question is what its route describes, each parameter once: of one that is misspelt or given twice
 * something would be left out of it, and the answer be wrong without a sign. What is sent, or is open
 * to all, is taken however it is asked: senders and probes put things of their own there.
 * @throws ApiError 400 `unknown_parameter`, `bad_parameter`
 */
export function checkQuery({ role, parameters = [] }: Route, query: URLSearchParams): void {
  if (role === 'ingest' || role === 'open') return
  const known = parameters.filter((one) => one.in === 'query').map(({ name }) => name)
  const given = new Set<string>()
  for (const name of query.keys()) {
    if (!known.includes(name)) throw unknown(name, known)
    if (given.has(name)) throw new ApiError(400, 'bad_parameter', `${name} is given twice`)
    given.add(name)
  }
}

function unknown(name: string, known: readonly string[]): ApiError {
  // Encoded, a name that comes from outside has no sign that could do harm where it is shown.
  const told = encodeURIComponent(name.slice(0, LONGEST_TOLD).toWellFormed())
  return new ApiError(400, 'unknown_parameter', `there is no parameter “${told}” here`, {
    advice: known.length === 0 ? 'this takes no parameters' : `there are ${known.join(', ')}`,
  })
}
