import assert from 'node:assert/strict'
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileIn, runClew, startClew, withDirectory, withProject } from './run-clew.test.ts'
import { noTerminal, startInTerminal } from './run-in-terminal.test.ts'
import { WatchedFiles } from './watched-files.ts'

const SERVICE = `import { rpc } from 'clew'
import { word } from './deep/words.ts'
console.error('the word is ' + word)
export class Greeting {
  static readonly name = 'cli_watch_greeting'
  @rpc hello(): string { return word }
}`

/** Nobody listens there: each start ends at once, and the next change starts it again. */
const NOWHERE = 'amqp://127.0.0.1:1'

test('a change of what a service imports starts it again; one that does not compile is waited out', () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'greeting.ts', SERVICE)
    await mkdir(join(project, 'deep'))
    const words = await fileIn(project, 'deep/words.ts', "export const word: string = 'one'")
    const clew = startClew(['run', path, '--watch', '--broker', NOWHERE], { cwd: project })
    await clew.says('the word is one')
    await clew.says('exit code 5; the next change starts it again')
    await writeFile(words, "export const word: string = 'two'")
    await clew.says('deep/words.ts changed; restarting')
    await clew.says('the word is two')
    await writeFile(words, 'export const word = {')
    await clew.says('words.ts:1:')
    await clew.says('exit code 1; the next change')
    await writeFile(words, "export const word: string = 'three'")
    await clew.says('the word is three')
    await fileIn(project, 'clew.config.yaml', 'max_workers: none')
    await clew.says('clew.config.yaml:1: max_workers must be')
    clew.kill('SIGINT')
    const { signal } = await clew.ended
    assert.equal(signal, null)
  }))

test('files that are not there, and wrong flags, end it at once', async () => {
  const gone = await runClew(['run', 'nowhere.ts', '--watch'])
  assert.deepEqual([gone.code, gone.stdout], [3, ''])
  assert.match(gone.stderr, /there is no file/)
  assert.equal((await runClew(['run', 'x.ts', '--watch', '--max-workers', '0'])).code, 2)
})

const address = process.env.CLEW_AMQP_URL

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(
    `running services are restarted gracefully, and end with the watcher on ${signal}`,
    {
      skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false,
    },
    () =>
      withProject(async (project) => {
        const source = SERVICE.replace("import { word } from './deep/words.ts'", "const word = 'x'")
        const path = await fileIn(project, 'greeting.ts', source)
        const options = { cwd: project, env: { CLEW_BROKER: address } }
        const clew = startClew(['run', path, '--watch'], options)
        await clew.says('Ctrl-C lets running calls end')
        await writeFile(path, source.replace("'x'", "'y'"))
        await clew.says('SIGTERM: letting running calls end')
        await clew.says('the word is y')
        await clew.says('Ctrl-C lets running calls end', 2)
        clew.kill(signal)
        const { code, stderr } = await clew.ended
        assert.equal(code, 0, stderr)
        assert.equal(stderr.match(/^stopped$/gmu)?.length, 2, stderr)
      }),
  )
}

test(
  'Ctrl-C in a terminal reaches the services once, through the watcher',
  {
    skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : noTerminal,
  },
  () =>
    withProject(async (project) => {
      const source = SERVICE.replace("import { word } from './deep/words.ts'", "const word = 'x'")
      const path = await fileIn(project, 'greeting.ts', source)
      const env = { CLEW_BROKER: address }
      const clew = startInTerminal(['run', path, '--watch'], { cwd: project, env })
      try {
        await clew.shows('Ctrl-C lets running calls end')
        clew.types('\x03')
        await clew.shows('letting running calls end')
        await clew.shows('stopped')
        const { code, shown } = await clew.ended
        assert.equal(code, 0, shown)
        assert.doesNotMatch(shown, /again: killing/)
      } finally {
        clew.kill()
      }
    }),
)

test('what changes: sources, new folders, renames, deletions; not permissions, nor other files', () =>
  withDirectory(async (directory) => {
    await fileIn(directory, 'package.json', '{}')
    const a = await fileIn(directory, 'a.ts', '1')
    await mkdir(join(directory, 'node_modules'))
    const files = new WatchedFiles([a], [join(directory, 'clew.config.yaml')])
    const changed = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
      const next = files.next()
      await act()
      return (await next).map((path) => path.slice(path.lastIndexOf('/') + 1)).sort()
    }
    try {
      assert.deepEqual(await changed(() => writeFile(a, '2')), ['a.ts'])
      assert.deepEqual(
        await changed(async () => {
          await chmod(a, 0o600)
          await fileIn(directory, 'traces.jsonl', 'x')
          await fileIn(directory, 'node_modules/x.ts', 'x')
          await fileIn(directory, 'clew.config.yaml', 'x')
        }),
        ['clew.config.yaml'],
      )
      await mkdir(join(directory, 'new'))
      // A folder is watched once its making was noticed.
      const noticed = async (): Promise<void> => {
        while (files.folders < 2) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await noticed()
      assert.deepEqual(await changed(() => fileIn(directory, 'new/b.js', '1')), ['b.js'])
      assert.deepEqual(
        await changed(() => rename(join(directory, 'new/b.js'), join(directory, 'c.mts'))),
        ['b.js', 'c.mts'],
      )
      assert.deepEqual(await changed(() => rm(a)), ['a.ts'])
    } finally {
      files.close()
    }
  }))
