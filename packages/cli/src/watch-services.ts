import { type ChildProcess, spawn } from 'node:child_process'
import type { ClewContext } from './command.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { harmless } from './harmless.ts'
import { checkTarget, parseTarget } from './service-file.ts'
import { WatchedFiles } from './watched-files.ts'

/** Tells a child that it is one; it takes it out of its environment again. */
const WATCHED = 'CLEW_WATCHED'

/** Milliseconds for running calls to end before a restart kills them: a little more than services take themselves. */
const STOP_MS = 35_000
/** Changed files named one by one. */
const MOST_NAMED = 3

/** Whether this process runs services for one that watches. Asked once: what they start must not think so. */
export function isWatched(env: NodeJS.ProcessEnv = process.env): boolean {
  const watched = env[WATCHED] !== undefined && process.send !== undefined
  delete env[WATCHED]
  if (!watched) return false
  // Whoever watches is gone for good: nobody would ever stop us.
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel?.unref()
  return true
}

/**
 * Runs the same command line in a child process, again whenever a source file or the configuration has
 * changed, until interrupted. A child that fails waits for the next change.
 */
export async function watchServices(
  { output }: Pick<ClewContext, 'output'>,
  targets: readonly string[],
  configurations: readonly string[],
): Promise<ExitCode> {
  const files = targets.map((target) => parseTarget(target).file)
  for (const file of files) checkTarget(file)
  const changes = new WatchedFiles(files, configurations)
  const { dim, yellow } = output.paintTalk
  const say = (text: string) => output.say(`${dim('watching:')} ${text}`)
  const interrupted = new Interruption()
  say(dim(`${changes.folders} folder${changes.folders === 1 ? '' : 's'}`))
  try {
    for (;;) {
      const child = new Child()
      const change = changes.next()
      interrupted.stops(child)
      const first = await Promise.race([change, child.ended])
      if (interrupted.signal !== undefined) return asExit(await child.ended)
      if (typeof first === 'number') {
        say(`${yellow(`it ended with exit code ${first}`)}; the next change starts it again`)
      }
      const files = await Promise.race([change, interrupted.happened])
      if (files === undefined) return typeof first === 'number' ? asExit(first) : EXIT.ok
      say(`${named(files)} changed; restarting`)
      await child.stop()
      if (interrupted.signal !== undefined) return EXIT.ok
    }
  } finally {
    changes.close()
    interrupted.close()
  }
}

function named(files: readonly string[]): string {
  const some = files.slice(0, MOST_NAMED).map(harmless).join(', ')
  return files.length > MOST_NAMED ? `${some} and ${files.length - MOST_NAMED} more` : some
}

function asExit(code: number): ExitCode {
  return code as ExitCode
}

/** One run of the services. */
class Child {
  readonly #process: ChildProcess
  /** The exit code; 128 and the signal's number where one ended it. */
  readonly ended: Promise<number>

  constructor() {
    // In a group of its own: Ctrl-C reaches it through us, once.
    this.#process = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
      env: { ...process.env, [WATCHED]: '1' },
    })
    this.ended = new Promise((resolve) => {
      this.#process.once('error', () => resolve(EXIT.failed))
      this.#process.once('exit', (code, signal) =>
        resolve(code ?? (signal === 'SIGINT' ? EXIT.interrupted : 128 + 15)),
      )
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), STOP_MS)
    await this.ended
    clearTimeout(timer)
  }
}

/** SIGINT and SIGTERM, handed on to the child. */
class Interruption {
  readonly #happened = Promise.withResolvers<undefined>()
  #child: Child | undefined
  signal: NodeJS.Signals | undefined
  readonly #take = (signal: NodeJS.Signals): void => {
    this.signal = signal
    this.#happened.resolve(undefined)
    this.#child?.signal(signal)
  }

  constructor() {
    process.on('SIGINT', this.#take).on('SIGTERM', this.#take)
  }

  get happened(): Promise<undefined> {
    return this.#happened.promise
  }

  stops(child: Child): void {
    this.#child = child
  }

  close(): void {
    process.off('SIGINT', this.#take).off('SIGTERM', this.#take)
  }
}
