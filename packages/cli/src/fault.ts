import { readdirSync } from 'node:fs'
import { basename, dirname, sep } from 'node:path'
import { EXIT, type ExitCode } from './exit.ts'
import { harmless } from './harmless.ts'
import { suggestions } from './suggest.ts'

export interface FaultDetails {
  readonly exit: ExitCode
  /** Machine-readable kind, such as `no_such_file`; for `--json`. */
  readonly code: string
  /** What is behind it, where that is not plain from the message. */
  readonly why?: string | undefined
  /** Commands or changes that would help, most likely first. */
  readonly next?: readonly string[] | undefined
  /** What a mistyped word may have meant. */
  readonly meant?: readonly string[] | undefined
  /** What `--json` tells beyond the words. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: unknown
}

/** What went wrong, told to a person: what, why, and what to do next. Ends the command. */
export class Fault extends Error {
  readonly exit: ExitCode
  readonly code: string
  readonly why: string | undefined
  readonly next: readonly string[]
  readonly meant: readonly string[]
  readonly facts: Readonly<Record<string, unknown>>

  constructor(what: string, details: FaultDetails) {
    super(what, { cause: details.cause })
    this.name = 'Fault'
    this.exit = details.exit
    this.code = details.code
    this.why = details.why
    this.next = details.next ?? []
    this.meant = details.meant ?? []
    this.facts = details.facts ?? {}
  }
}

/** A command line that makes no sense. */
export function usageFault(what: string, details: Partial<FaultDetails> = {}): Fault {
  return new Fault(what, { exit: EXIT.usage, code: 'usage', ...details })
}

/** Any thrown thing as a fault. One of ours stays as it is; anything else is a defect, told with its stack. */
export function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return new Fault(`clew broke: ${error.message}`, {
    exit: EXIT.failed,
    code: 'internal',
    why: error.stack,
    next: ['tell us, with the command line and the lines above'],
    cause: thrown,
  })
}

/** A failed file operation in words. */
export function fileFault(action: 'read' | 'write', path: string, error: unknown): Fault {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const name = harmless(path)
  if (action === 'read' && code === 'ENOENT') {
    return new Fault(`there is no file ${name}`, {
      exit: EXIT.notFound,
      code: 'no_such_file',
      meant: neighbours(path),
      cause: error,
    })
  }
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return new Fault(`cannot ${action} ${name}: ${reason}`, {
    exit: EXIT.failed,
    code: action === 'read' ? 'unreadable_file' : 'unwritable_file',
    cause: error,
  })
}

/** Files beside it that are called nearly so. */
function neighbours(path: string): readonly string[] {
  try {
    const [directory, name] = [dirname(path), basename(path)]
    const beside = directory === '.' && !path.startsWith('.') ? '' : `${directory}${sep}`
    return suggestions(name, readdirSync(directory)).map((near) => `${beside}${near}`)
  } catch {
    return []
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is a file, not a directory',
  EEXIST: 'a file is in its place',
  ENOSPC: 'no space is left on the device',
  ENAMETOOLONG: 'the name is too long',
}
