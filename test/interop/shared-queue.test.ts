import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { traced } from 'clew/profile'
import { callTree } from 'clew/trace'
import { type Shared, sharedService } from './typescript-services.ts'
import { namekos, type World, worldFor } from './world.ts'

for (const nameko of await namekos()) {
  describe(`replicas in both languages (${nameko.name})`, { skip: nameko.skip }, () => {
    const world = worldFor(nameko, ['Shared'])

    it('share one queue: both work, and Python goes on when the other one stops', async () => {
      const running = await world.run([sharedService(world.prefix)], true)
      assert.equal((await world.caller.queue(queueOf(world))).consumers, 2)
      await bothAnswer(world)
      await running.stop()
      assert.deepEqual(await answers(world, 30), new Set(['python']))
    })

    it('hand calls of a TypeScript process that is killed to Python', async (t) => {
      const replica = new Replica(world)
      t.after(() => replica.kill())
      await replica.says('ready')
      await bothAnswer(world)
      const held: Promise<string>[] = []
      // Some of them come to Python, which answers at once.
      await eventually(() => {
        held.push(sharedOf(world).hold('typescript'))
        return replica.output.includes('holding')
      })
      await replica.kill()
      assert.deepEqual(new Set(await Promise.all(held)), new Set(['python']))
      assert.deepEqual(await answers(world, 30), new Set(['python']))
    })

    it('hand calls of a Python process that is killed to TypeScript, and the tree says so', async () => {
      const held = traced(sharedOf(world)).hold('python')
      await eventually(() => world.python.output.includes('holding'))
      await world.run([sharedService(world.prefix)], true)
      await bothAnswer(world)
      await world.killPython()
      const { result, trace } = await held
      assert.equal(result, 'typescript')
      const { root, problems } = callTree(trace)
      assert.equal(root.redelivered, true)
      assert.equal(root.presence, '1111')
      assert.deepEqual(problems, [])
      assert.deepEqual(await answers(world, 30), new Set(['typescript']))
    })

    it('take Python back, and lose no call when it is killed again in a crowd', async () => {
      world.startPython()
      await eventually(async () => (await world.caller.queue(queueOf(world))).consumers === 2)
      await bothAnswer(world)
      const shared = sharedOf(world)
      let killed: Promise<void> | undefined
      const calls = Array.from({ length: 60 }, async () => {
        const who = await shared.who(0.1)
        // Python holds more calls now, some of them running; the broker hands them on.
        if (who === 'python') killed ??= world.killPython()
        return who
      })
      assert.equal((await Promise.all(calls)).length, 60)
      assert.ok(killed !== undefined, 'Python worked on some of them')
      await killed
      assert.deepEqual(await answers(world, 30), new Set(['typescript']))
      assert.deepEqual(await world.caller.queue(queueOf(world)), { messages: 0, consumers: 1 })
    })
  })
}

/** The TypeScript replica as a process that can be killed. */
class Replica {
  readonly #child: ChildProcess
  #output = ''

  constructor(world: World) {
    const file = fileURLToPath(new URL('./replica.ts', import.meta.url)).replace(/ts$/u, 'js')
    this.#child = fork(file, [world.prefix], { stdio: 'pipe', execArgv: [] })
    const keep = (chunk: string) => {
      this.#output += chunk
    }
    this.#child.stdout?.setEncoding('utf8').on('data', keep)
    this.#child.stderr?.setEncoding('utf8').on('data', keep)
  }

  get output(): string {
    return this.#output
  }

  async says(line: string): Promise<void> {
    await eventually(() => {
      assert.equal(this.#child.exitCode, null, `the replica has ended:\n${this.#output}`)
      return this.#output.includes(`${line}\n`)
    })
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

function sharedOf(world: World) {
  return world.cluster.proxy<Shared>(world.name('shared'))
}

function queueOf(world: World): string {
  return `rpc-${world.name('shared')}`
}

/** Who answers so many calls at once. */
async function answers(world: World, calls: number): Promise<Set<string>> {
  const shared = sharedOf(world)
  return new Set(await Promise.all(Array.from({ length: calls }, () => shared.who())))
}

async function bothAnswer(world: World): Promise<void> {
  const seen = new Set<string>()
  for (let rounds = 0; rounds < 20 && seen.size < 2; rounds++) {
    for (const who of await answers(world, 40)) seen.add(who)
  }
  assert.deepEqual([...seen].toSorted(), ['python', 'typescript'])
}

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await condition()) return
    await delay(20)
  }
  throw new assert.AssertionError({ message: 'what was waited for did not come within 20 s' })
}
