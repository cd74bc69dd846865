/** What can be told of a service about to stop. */
export interface Stopping {
  readonly service: string
  /** Whether its workers may make calls to the service. */
  mayCall(service: string): boolean
}

/**
 * Stops services, callers before those they call: a worker that is still at work finds what it
 * calls at work too, though nobody else on the broker may serve it. Those that call each other in a
 * circle stop together. Gives the outcomes in the order in which they stopped.
 */
export async function stopInOrder<S extends Stopping>(
  services: readonly S[],
  stop: (service: S) => Promise<void>,
): Promise<readonly PromiseSettledResult<void>[]> {
  const outcomes: PromiseSettledResult<void>[] = []
  let left = services
  while (left.length > 0) {
    const uncalled = left.filter(
      (one) => !left.some((other) => other !== one && other.mayCall(one.service)),
    )
    const next = uncalled.length > 0 ? uncalled : left
    outcomes.push(...(await Promise.allSettled(next.map(stop))))
    left = left.filter((one) => !next.includes(one))
  }
  return outcomes
}
