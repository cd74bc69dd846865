import { spawn } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../bin/clew.js', import.meta.url))
/** What the checkout has installed. */
export const INSTALLED = fileURLToPath(new URL('../../../node_modules', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningClew {
  readonly ended: Promise<Ended>
  /** Resolves when stderr has said it so many times (1). Rejects when the command ended before. */
  says(text: string, times?: number): Promise<void>
  /** All that stderr has said. */
  said(): string
  kill(signal: NodeJS.Signals): void
}

export interface ClewOptions {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

/** Starts the compiled command as a user's shell would, without a terminal. */
export function startClew(args: readonly string[], options: ClewOptions = {}): RunningClew {
  const { CLEW_BROKER: _, NO_COLOR: __, ...inherited } = process.env
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
  })
  let [stdout, stderr] = ['', '']
  const listeners = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const listener of listeners) listener()
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return {
    ended,
    kill: (signal) => child.kill(signal),
    said: () => stderr,
    says: (text, times = 1) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (stderr.split(text).length > times) resolve()
        }
        listeners.add(check)
        check()
        void ended.then(() => reject(new Error(`clew ended without saying ${text}:\n${stderr}`)))
      }),
  }
}

export function runClew(args: readonly string[], options?: ClewOptions): Promise<Ended> {
  return startClew(args, options).ended
}

/** A directory that is gone after `body`. */
export async function withDirectory(body: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'clew-cli-'))
  try {
    await body(path)
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

/** A directory whose modules can import what is installed here, as a user's project would. */
export function withProject(body: (path: string) => Promise<void>): Promise<void> {
  return withDirectory(async (path) => {
    await symlink(INSTALLED, join(path, 'node_modules'), 'dir')
    await writeFile(join(path, 'package.json'), '{ "type": "module" }')
    await body(path)
  })
}

/** Writes a file into a directory and returns its path. */
export async function fileIn(
  directory: string,
  name: string,
  content: string | Uint8Array,
): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}
