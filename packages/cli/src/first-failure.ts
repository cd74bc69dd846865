import { type CallTree, failures } from 'clew/trace'

/** Where a trace's failure began, and who handed it up. */
export interface FirstFailure {
  readonly service: string
  readonly method: string
  /** The error's class name, or how the call ended where it threw none. */
  readonly error: string
  /** For people: what failed first, and who only passed it on. */
  readonly sentence: string
}

/** @returns undefined when nothing failed */
export function firstFailure(tree: CallTree): FirstFailure | undefined {
  const [failure] = failures(tree)
  if (failure === undefined) return undefined
  const { origin, passedOn } = failure
  const { service, method, error = origin.status } = origin
  const sentence = `${service}.${method} failed first, with ${error}`
  const messengers = passedOn.map((call) => call.service)
  const last = messengers.pop()
  if (last === undefined) return { service, method, error, sentence: `${sentence}.` }
  const names = messengers.length === 0 ? last : `${messengers.join(', ')} and ${last}`
  return { service, method, error, sentence: `${sentence}; ${names} only passed it on.` }
}
