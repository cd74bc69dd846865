import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ClewOptions } from './run-clew.test.ts'

const COMMAND = fileURLToPath(new URL('../bin/clew.js', import.meta.url))

/** Copies between its own stdin and stdout and a terminal of 100 columns that the command runs in. */
const TERMINAL = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 100, 0, 0))
reading = [fd, 0]
while True:
    ready, _, _ = select.select(reading, [], [])
    if 0 in ready:
        typed = os.read(0, 4096)
        if typed: os.write(fd, typed)
        else: reading.remove(0)
    if fd in ready:
        try: shown = os.read(fd, 65536)
        except OSError: shown = b''
        if not shown: break
        os.write(1, shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xff)
`

/** How long a test waits for words. */
const LONGEST_MS = 20_000

/** Why a terminal cannot be had here. */
export const noTerminal =
  spawnSync('python3', ['--version']).status === 0 ? false : 'python3 makes the terminal'

export interface InTerminal {
  /** Resolves when the terminal has shown it since the last time; rejects when the command has ended. */
  shows(text: string): Promise<void>
  /** Presses keys; `\r` is Enter. */
  types(text: string): void
  readonly ended: Promise<{ readonly code: number | null; readonly shown: string }>
  kill(): void
}

/** Starts the compiled command as a person would, in a terminal. */
export function startInTerminal(args: readonly string[], options: ClewOptions = {}): InTerminal {
  const { CLEW_BROKER: _, NO_COLOR: __, ...inherited } = process.env
  const child = spawn('python3', ['-c', TERMINAL, process.execPath, COMMAND, ...args], {
    cwd: options.cwd,
    env: { ...inherited, TERM: 'xterm', ...options.env },
  })
  let [shown, seen] = ['', 0]
  const listeners = new Set<() => void>()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    for (const listener of listeners) listener()
  })
  child.stdin.on('error', () => {})
  const ended = new Promise<{ code: number | null; shown: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, shown }))
  })
  return {
    ended,
    kill: () => child.kill('SIGKILL'),
    types: (text) => child.stdin.write(text),
    shows: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const at = shown.indexOf(text, seen)
          if (at < 0) return
          seen = at + text.length
          listeners.delete(check)
          resolve()
        }
        listeners.add(check)
        check()
        const late = () => reject(new Error(`clew did not show ${text}:\n${shown}`))
        setTimeout(late, LONGEST_MS).unref()
        void ended.then(() => reject(new Error(`clew ended without showing ${text}:\n${shown}`)))
      }),
  }
}
