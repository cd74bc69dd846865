import type { ProfileOptions } from 'clew/profile'
import { EXIT } from './exit.ts'
import { Fault, usageFault } from './fault.ts'
import { harmless } from './harmless.ts'

export interface AccessFlags {
  readonly profile: string | undefined
  /** Files, or `env:NAME`, with keys whose grants are believed. */
  readonly grantKey: readonly string[] | undefined
  readonly requireGrant: boolean
}

/**
 * Who may see what, as flags say it. With a key that makes grants, workers show some of their own to the
 * services that they call.
 * @throws Fault when a key cannot be read
 */
export async function accessOptions(
  flags: AccessFlags,
): Promise<Pick<ProfileOptions, 'access' | 'require' | 'grant'>> {
  const { profile, grantKey, requireGrant } = flags
  if (profile === undefined && (grantKey !== undefined || requireGrant)) {
    throw usageFault('grants say who may see call trees, and without --profile there are none', {
      next: ['clew run services.ts --profile --grant-key grants.pub.json'],
    })
  }
  if (grantKey === undefined) {
    if (!requireGrant) return {}
    throw usageFault('--require-grant needs a key whose grants are believed', {
      next: ['--grant-key grants.pub.json', '--grant-key env:GRANT_KEY'],
    })
  }
  const { grantIssuer, grantVerifier, readGrantKeys } = await import('clew/profile')
  try {
    const keys = await readGrantKeys(...grantKey)
    const key = keys.find(({ signing }) => signing !== undefined)
    return {
      access: { verify: grantVerifier({ keys }) },
      ...(requireGrant && { require: 'grant' }),
      ...(requireGrant &&
        key !== undefined && {
          grant: grantIssuer({ key }).source({ subject: 'clew run', scope: 'full' }),
        }),
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Fault(harmless(message), { exit: EXIT.failed, code: 'bad_key', cause: error })
  }
}
