import { randomBytes } from 'node:crypto'
import { ConfigError } from '../../call/index.ts'
import { Aliases } from './alias.ts'
import { Refusals } from './refusals.ts'
import { isScope, SCOPES, type Scope } from './scope.ts'
import type { GrantVerifier } from './verifier.ts'

export interface AccessOptions {
  /** Judges the grants that come in the header `clew-grant`. @default none is believed */
  readonly verify?: GrantVerifier | undefined
  /**
   * What callers without a valid grant see. Anything but `none` shows it to everybody, which is for
   * development; what they send is not believed all the same.
   * @default 'none'
   */
  readonly withoutGrant?: Scope | undefined
  /**
   * Makes the aliases of hosts and traces in views below `full`: 16 characters or more. Give the same
   * to all processes, and they use the same aliases.
   * @default random for each process
   */
  readonly aliasKey?: string | Uint8Array | undefined
}

/** What the boundary and the gate share. */
export interface Access {
  readonly verifier: GrantVerifier | undefined
  readonly withoutGrant: Scope
  readonly aliases: Aliases
  readonly refusals: Refusals
}

const LEAST_KEY = 16

/** @throws ConfigError when an option is impossible */
export function accessOf(options: AccessOptions = {}): Access {
  const { verify, withoutGrant = 'none', aliasKey = randomBytes(32) } = options
  if (!isScope(withoutGrant)) {
    throw new ConfigError(
      `profile: access.withoutGrant is one of ${SCOPES.join(', ')}; got ${String(withoutGrant)}.`,
    )
  }
  if (verify !== undefined && typeof verify.verify !== 'function') {
    throw new ConfigError('profile: access.verify is what grantVerifier({ keys }) gives.')
  }
  if (aliasKey.length < LEAST_KEY) {
    throw new ConfigError(`profile: access.aliasKey needs ${LEAST_KEY} characters or more.`)
  }
  return {
    verifier: verify,
    withoutGrant,
    aliases: new Aliases(aliasKey),
    refusals: new Refusals(),
  }
}
