import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { peakBytesOf, processorSOf } from '../harness/process-use.ts'

const COMMAND = fileURLToPath(new URL('../../../packages/cli/bin/clew.js', import.meta.url))

/** A `clew collect` in a process of its own. */
export class CollectorProcess implements AsyncDisposable {
  readonly url: string
  /** From the start of the process until it answered first. */
  readonly startMs: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string, startMs: number) {
    this.#child = child
    this.url = url
    this.startMs = startMs
  }

  static async start(store: string): Promise<CollectorProcess> {
    const began = performance.now()
    const child = spawn(process.execPath, [COMMAND, 'collect', '--store', store, '--port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, CLEW_BROKER: undefined, CLEW_COLLECTOR: undefined },
    })
    let said = ''
    for await (const text of child.stderr!) {
      said += String(text)
      const url = /http:\/\/127\.0\.0\.1:\d+/u.exec(said)?.[0]
      if (url === undefined) continue
      child.stderr!.resume()
      await fetch(`${url}/healthz`)
      return new CollectorProcess(child, url, performance.now() - began)
    }
    throw new Error(`the collector ended: ${said}`)
  }

  /** Processor time so far, seconds. */
  cpuS(): Promise<number> {
    return processorSOf(this.#child.pid!)
  }

  /** The most memory that it has had, bytes. */
  peakBytes(): Promise<number> {
    return peakBytesOf(this.#child.pid!)
  }

  /** Resolves when everything that was taken can be found and is counted. */
  async settled(): Promise<void> {
    for (;;) {
      const health = (await (await fetch(`${this.url}/healthz`)).json()) as { pending: number }
      if (health.pending === 0) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}
