import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { peakBytesOf, processorSOf } from '../harness/process-use.ts'

const START_MS = 60_000
/** A server of somebody else, in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /**
   * Starts it and waits until an address of it answers.
   * @throws Error when that takes longer than a minute, or it ends before
   */
  static async start(
    command: readonly string[],
    environment: Readonly<Record<string, string>>,
    answers: string,
  ): Promise<ServerProcess> {
    const [program, ...parameters] = command
    const child = spawn(program!, parameters, {
      stdio: 'ignore',
      env: { ...process.env, ...environment },
    })
    let ended: string | undefined
    child.once('error', (error) => {
      ended = error.message
    })
    child.once('exit', (code) => {
      ended ??= `exit code ${code}`
    })
    const until = performance.now() + START_MS
    while (ended === undefined && performance.now() < until) {
      const response = await fetch(answers).catch(() => undefined)
      await response?.body?.cancel()
      if (response?.ok === true) return new ServerProcess(child)
      await sleep(100)
    }
    child.kill('SIGKILL')
    throw new Error(`${program} does not answer: ${ended ?? `nothing in ${START_MS} ms`}`)
  }

  cpuS(): Promise<number> {
    return processorSOf(this.#child.pid!)
  }

  peakBytes(): Promise<number> {
    return peakBytesOf(this.#child.pid!)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}

/** Ports of this machine that nobody listens on just now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  for (const server of servers) server.close()
  return ports
}
