import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** Questions by name, each with at most one argument; answered in this process or in another. */
export type Answers<T> = {
  readonly [K in keyof T]: (argument: never) => Promise<unknown>
}

/** Somebody who answers questions, and can be sent home. */
export interface Remote<T> {
  readonly ask: T
  stop(): Promise<void>
}

interface Question {
  readonly number: number
  readonly name: string
  readonly argument: unknown
}

interface Answer {
  readonly number: number
  readonly value?: unknown
  readonly error?: string
}

const STOP_AFTER_MS = 10_000

/**
 * Runs a compiled program in a process of its own; it answers through `answerParent`. The program
 * ends when this process does. What it prints goes to stderr: stdout is for results.
 * @param flags Node's own, over those of this process
 */
export function startRemote<T extends Answers<T>>(
  program: string,
  parameters: readonly string[],
  flags: readonly string[] = [],
): Remote<T> {
  const child = fork(program, parameters, {
    serialization: 'advanced',
    execArgv: [...process.execArgv, ...flags],
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let asked = 0
  child.on('message', (answer: Answer) => {
    const question = waiting.get(answer.number)
    waiting.delete(answer.number)
    if (answer.error === undefined) question?.resolve(answer.value)
    else question?.reject(new Error(answer.error))
  })
  child.once('exit', (code, signal) => {
    const reason = new Error(`${program} ended with ${signal ?? code} while it was needed`)
    for (const question of waiting.values()) question.reject(reason)
    waiting.clear()
  })
  const ask = new Proxy(Object.create(null), {
    get(_, name): unknown {
      if (typeof name !== 'string' || name === 'then') return undefined
      return async (argument?: unknown) => {
        if (!child.connected) throw new Error(`${program} has ended`)
        const question: Question = { number: ++asked, name, argument }
        child.send(question)
        const answered = Promise.withResolvers<unknown>()
        waiting.set(question.number, answered)
        return answered.promise
      }
    },
  }) as T
  return { ask, stop: () => end(child) }
}

/** Closing the channel asks the program to end well; one that does not is killed. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_AFTER_MS)
  await ended
  clearTimeout(timer)
}

/** Answers the parent's questions until it goes, then calls `leave` and ends this process. */
export function answerParent<T extends Answers<T>>(answers: T, leave: () => Promise<void>): void {
  process.on('message', ({ number, name, argument }: Question) => {
    const answer: (argument: never) => Promise<unknown> = answers[name as keyof T]
    answer.call(answers, argument as never).then(
      (value) => process.send?.({ number, value } satisfies Answer),
      (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
        process.send?.({ number, error: text } satisfies Answer)
      },
    )
  })
  process.once('disconnect', () => {
    leave().then(
      () => process.exit(),
      () => process.exit(1),
    )
  })
}
