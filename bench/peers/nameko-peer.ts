import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { figuresOf, type Load } from '../harness/load.ts'
import { processorSOf } from '../harness/process-use.ts'
import type { Settings } from './program.ts'
import { NAME, type RunningPeer } from './running-peer.ts'

const FOLDER = fileURLToPath(new URL('../../peers/nameko/', import.meta.url))
const INTEROP = new URL('../../../test/interop/', import.meta.url)
/** Python's processes that end with the one that started them. */
const LAUNCH = fileURLToPath(new URL('launch.py', INTEROP))
const REQUIREMENTS = fileURLToPath(new URL('requirements-nameko2.txt', INTEROP))
const START_MS = 30_000

type Environment = { readonly python: string } | { readonly missing: string }

interface Pythons {
  environmentOf(requirements: string, say: (line: string) => void): Promise<Environment>
}

/** A Python with Nameko, or why there is none here. */
export async function namekoPython(say: (line: string) => void): Promise<Environment> {
  const script = new URL('../../../scripts/python.mjs', import.meta.url)
  const { environmentOf } = (await import(script.href)) as Pythons
  return environmentOf(REQUIREMENTS, say)
}

/** `nameko run`, and a program with Nameko's own client. */
export async function startNamekoPeer(
  python: string,
  { url, service }: Settings,
): Promise<RunningPeer> {
  const start = (parameters: readonly string[]) =>
    spawn(python, parameters, {
      cwd: FOLDER,
      env: { ...process.env, CLEW_BENCH_SERVICE: service, PYTHONDONTWRITEBYTECODE: '1' },
      // What it says is for people; stdout is the caller's answers.
      stdio: ['pipe', 'pipe', 'ignore'],
    })
  const serving = start([LAUNCH, 'run', 'service', '--broker', url])
  const calling = start(['caller.py', url, service])
  const ask = questionsTo(calling)
  const hello = async (name: string) => ((await ask({ op: 'hello', name })) as Greeted).result
  const stop = async () => {
    await end(calling)
    await end(serving)
  }
  try {
    await untilAnswered(hello)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    hello,
    async load(load: Load) {
      const { tookS, passedS } = (await ask({ op: 'load', name: NAME, ...load })) as Loaded
      const tookMs = tookS.map((one) => one * 1000)
      return figuresOf(tookMs, passedS * 1000)
    },
    async processorUs() {
      const [one, other] = await Promise.all(
        [serving, calling].map(({ pid }) => processorSOf(pid!)),
      )
      return (one! + other!) * 1e6
    },
    flush: async () => {},
    stop,
  }
}

interface Greeted {
  readonly result: string
}

interface Loaded {
  readonly tookS: readonly number[]
  readonly passedS: number
}

/** One question at a time, a line of JSON each. */
function questionsTo(child: ChildProcess): (command: object) => Promise<unknown> {
  const lines = createInterface({ input: child.stdout! })
  child.stdin!.on('error', () => {})
  const ended = once(child, 'exit').then(() => {
    throw new Error('the Python caller has ended')
  })
  // Nobody may be asking when it ends.
  ended.catch(() => {})
  return async (command) => {
    const answered = once(lines, 'line')
    child.stdin!.write(`${JSON.stringify(command)}\n`)
    const [line] = (await Promise.race([answered, ended])) as [string]
    const answer = JSON.parse(line) as { readonly failed?: string }
    if (answer.failed !== undefined) throw new Error(answer.failed)
    return answer
  }
}

/** Nameko does not say when it is ready. */
async function untilAnswered(hello: (name: string) => Promise<string>): Promise<void> {
  const until = performance.now() + START_MS
  for (;;) {
    try {
      await hello(NAME)
      return
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(100)
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin!.end()
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}
