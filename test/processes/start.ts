import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAMS = {
  worker: new URL('./worker.js', import.meta.url),
  listener: new URL('./listener.js', import.meta.url),
  replica: new URL('./replica.js', import.meta.url),
  chained: new URL('./chained.js', import.meta.url),
}

/** Runs a program of this folder until the test ends; resolves when it says `ready`. */
export async function startProcess(
  t: TestContext,
  program: keyof typeof PROGRAMS,
  environment: Readonly<Record<string, string>>,
): Promise<WorkerProcess> {
  const file = fileURLToPath(PROGRAMS[program])
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const started = new WorkerProcess(child)
  await started.says('ready')
  return started
}

/** A process whose lines can be waited for. */
export class WorkerProcess {
  readonly child: ChildProcess
  #said = ''
  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
  }
  /** What it has said so far. */
  get lines(): readonly string[] {
    return this.#said.split('\n').slice(0, -1)
  }
  async says(line: string): Promise<void> {
    while (!this.#said.includes(`${line}\n`)) {
      assert.equal(this.child.exitCode, null, `the worker ended before it said ${line}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  async exited(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      await once(this.child, 'exit')
    return this.child.exitCode
  }
}
