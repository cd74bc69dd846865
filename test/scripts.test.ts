/** What sets the checkout up before anything else runs; the scripts themselves are plain JavaScript. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ROOT } from './tidy/repository.ts'

interface Compiled {
  removeStaleOutput(root: string): Promise<readonly string[]>
}
interface Lock {
  withLock<T>(root: string, say: (line: string) => void, work: () => Promise<T>): Promise<T>
}
interface Processes {
  output(
    command: string,
    parameters: readonly string[],
    options?: { readonly timeoutMs?: number },
  ): Promise<{ readonly code: number; readonly stdout: string; readonly text: string }>
}

function script(name: string) {
  return import(pathToFileURL(path.join(ROOT, 'scripts', name)).href)
}

const { removeStaleOutput }: Compiled = await script('setup/compiled.mjs')
const { withLock }: Lock = await script('setup/lock.mjs')
const { output }: Processes = await script('processes.mjs')

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'clew-scripts-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function write(root: string, texts: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true })
    await writeFile(path.join(root, name), text)
  }
}

test('compiled files go with their source, and nothing else goes', async (context) => {
  const root = await temporaryFolder(context)
  const compilerOptions = {
    rootDir: 'src',
    outDir: 'dist',
    tsBuildInfoFile: 'dist/.tsbuildinfo',
  }
  await write(root, {
    'tsconfig.json': JSON.stringify({ references: [{ path: 'a' }, { path: 'never-built' }] }),
    'a/tsconfig.json': JSON.stringify({ compilerOptions }),
    'never-built/tsconfig.json': JSON.stringify({ compilerOptions }),
    'never-built/src/x.ts': '',
    'a/src/kept.ts': '',
    'a/src/deep/kept.test.tsx': '',
    'a/dist/.tsbuildinfo': '{}',
    'a/dist/kept.js': '',
    'a/dist/kept.d.ts': '',
    'a/dist/deep/kept.test.js': '',
    'a/dist/deep/kept.test.d.ts': '',
    'a/dist/deep/gone.test.js': '',
    'a/dist/deep/gone.test.js.map': '',
    'a/dist/deep/gone.test.d.ts': '',
    'a/dist/page/bundle.js': '',
  })
  const removed = await removeStaleOutput(root)
  assert.deepEqual(removed, [
    'a/dist/deep/gone.test.d.ts',
    'a/dist/deep/gone.test.js',
    'a/dist/deep/gone.test.js.map',
    'a/dist/.tsbuildinfo',
  ])
  assert.ok(!existsSync(path.join(root, 'a/dist/deep/gone.test.js')))
  assert.ok(existsSync(path.join(root, 'a/dist/page/bundle.js')))
  assert.deepEqual(await removeStaleOutput(root), [])
})

test('of two set-ups at once one waits for the other, even when the other fails', async (context) => {
  const root = await temporaryFolder(context)
  const order: string[] = []
  const first = withLock(
    root,
    () => {},
    async () => {
      order.push('first begins')
      await new Promise((resolve) => setTimeout(resolve, 300))
      order.push('first ends')
      throw new Error('broken')
    },
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  const second = withLock(
    root,
    () => {},
    async () => order.push('second'),
  )
  await assert.rejects(first, /broken/)
  await second
  assert.deepEqual(order, ['first begins', 'first ends', 'second'])
  assert.ok(!existsSync(path.join(root, '.cache/setup.lock')))
})

test('the lock of a process that died gives way', async (context) => {
  const root = await temporaryFolder(context)
  const { stdout } = await output(process.execPath, ['-p', 'process.pid'])
  const dead = JSON.stringify({ pid: Number(stdout), host: os.hostname() })
  await write(root, { '.cache/setup.lock': dead })
  const held = await withLock(
    root,
    () => {},
    () => readFile(path.join(root, '.cache/setup.lock'), 'utf8'),
  )
  assert.equal(JSON.parse(held).pid, process.pid)
})

test('a command that cannot be run or does not end is told by its code', async () => {
  assert.equal((await output('no-such-program', [])).code, 127)
  assert.equal((await output(process.execPath, ['-e', 'process.exit(3)'])).code, 3)
  const endless = ['-e', 'setInterval(() => {}, 1000)']
  assert.equal((await output(process.execPath, endless, { timeoutMs: 300 })).code, 124)
})
