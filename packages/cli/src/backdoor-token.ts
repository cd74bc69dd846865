import { randomBytes, timingSafeEqual } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'
import { harmless } from './harmless.ts'

/**
 * Makes a token for whoever may enter by this port, in a file that only this user can read.
 * @throws Fault when there is no folder for it that is safe from others
 */
export function saveToken(
  port: number,
  env: Env,
): { readonly token: string; readonly file: string } {
  const folder = folderOf(env)
  const token = randomBytes(24).toString('base64url')
  const file = join(folder, `backdoor-${port}`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    checkFolder(folder)
    rmSync(file, { force: true })
    writeFileSync(file, token, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (error instanceof Fault) throw error
    throw unsafe(folder, error instanceof Error ? error.message : String(error))
  }
  return { token, file }
}

/** The token of a process of this user's that listens there; undefined when there is none. */
export function savedToken(port: number, env: Env): string | undefined {
  const folder = folderOf(env)
  try {
    // In a folder of somebody else's the token, and what listens there, would be theirs.
    checkFolder(folder)
    return readFileSync(join(folder, `backdoor-${port}`), 'utf8')
  } catch {
    return undefined
  }
}

/** Compares without telling by its time how much was right. */
export function isToken(given: string, token: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(token)]
  return left.length === right.length && timingSafeEqual(left, right)
}

type Env = Readonly<Record<string, string | undefined>>

function folderOf({ XDG_RUNTIME_DIR }: Env): string {
  return XDG_RUNTIME_DIR
    ? join(XDG_RUNTIME_DIR, 'clew')
    : join(tmpdir(), `clew-${process.getuid?.() ?? 'user'}`)
}

/** In a folder that everybody may write, somebody else may have been there first. */
function checkFolder(folder: string): void {
  const found = lstatSync(folder)
  if (!found.isDirectory()) throw unsafe(folder, 'it is no directory')
  const uid = process.getuid?.()
  if (uid !== undefined && found.uid !== uid) throw unsafe(folder, 'it belongs to somebody else')
  if (uid !== undefined && (found.mode & 0o077) !== 0) {
    throw unsafe(folder, 'others may enter it')
  }
}

function unsafe(folder: string, why: string): Fault {
  return new Fault(`the token for the backdoor cannot be kept in ${harmless(folder)}`, {
    exit: EXIT.failed,
    code: 'unsafe_folder',
    why,
    next: [`chmod 700 ${folder}`, 'XDG_RUNTIME_DIR=DIR   names a folder of your own'],
  })
}
