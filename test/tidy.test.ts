/**
 * The rules that keep this repository small enough to know. The tables, which are the architecture,
 * are in tidy/tables.ts; what a rule means is in the file that holds it, and proved below it.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  forbiddenImports,
  importCycles,
  scatteredDependencies,
  unreferencedFiles,
} from './tidy/imports.ts'
import { badNames } from './tidy/names.ts'
import { ROOT, readSources, readWorkspaces } from './tidy/repository.ts'
import type { Violation } from './tidy/source.ts'
import { ALLOWED_NAMES, CLEW, CLI, FOLDERS, RENDER, SHARED_DEPENDENCIES } from './tidy/tables.ts'
import { badLines, badStatements, longFiles } from './tidy/text.ts'

const sources = readSources()
const workspaces = readWorkspaces()

function assertNone(violations: readonly Violation[]): void {
  const lines = violations.map(({ path, line, message }) => `${path}:${line}: ${message}`)
  assert.equal(lines.length, 0, `\n${lines.join('\n')}\n`)
}

test('folders import only what the table lets them', () => {
  assertNone(forbiddenImports(sources, FOLDERS, workspaces))
})

test('every folder of a package is in the table', () => {
  const tables = {
    'packages/clew/src': CLEW,
    'packages/render/src': RENDER,
    'packages/cli/src': CLI,
  }
  for (const [home, table] of Object.entries(tables)) {
    const folders = readdirSync(path.join(ROOT, home), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
    assert.deepEqual(
      folders.filter((folder) => !(folder in table)),
      [],
      `not in test/tidy/tables.ts: folders of ${home}`,
    )
  }
})

test('no files import each other in a circle', () => {
  assertNone(importCycles(sources, workspaces))
})

test('each dependency is declared and sits behind one file', () => {
  assertNone(scatteredDependencies(sources, workspaces, SHARED_DEPENDENCIES))
})

test('every file is used', () => {
  const watched = sources.filter(({ path }) => /^(packages|scripts|test)\//.test(path))
  assertNone(unreferencedFiles(watched, workspaces, programs()))
})

test('names say what things are', () => {
  assertNone(badNames(sources, ALLOWED_NAMES))
})

test('files are short', () => {
  assertNone(longFiles(sources))
})

test('exports have names, and nothing of debugging is left', () => {
  assertNone(badStatements(sources))
})

test('nothing is unfinished, unmerged or true of one machine only', () => {
  assertNone(badLines(sources))
})

test('the lock names no host, and has the tools for every platform', () => {
  const lock = readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')
  assert.doesNotMatch(lock, /"resolved": "https?:/)
  // Made on a machine whose registry lacks some platforms' packages, a lock is refused by npm ci.
  const { packages } = JSON.parse(lock)
  const tools = ['@biomejs/biome', 'typescript', 'esbuild', '@resvg/resvg-js']
  for (const tool of tools) {
    const platforms = Object.keys(packages[`node_modules/${tool}`].optionalDependencies)
    const missing = platforms.filter((name) => packages[`node_modules/${name}`] === undefined)
    assert.deepEqual(missing, [], `not in package-lock.json: platforms of ${tool}`)
  }
})

test('every folder of clew says what it is in at most 15 lines', () => {
  for (const folder of Object.keys(CLEW)) {
    const home = path.join(ROOT, 'packages/clew/src', folder)
    if (folder === '.' || !existsSync(home)) continue
    const file = path.join(home, 'README.md')
    assert.ok(existsSync(file), `packages/clew/src/${folder} has no README.md`)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length
    assert.ok(lines <= 15, `packages/clew/src/${folder}/README.md has ${lines} lines`)
  }
})

/** What people and CI run, by the files that say so, and what only the compiler looks at. */
function programs(): readonly string[] {
  const named = sources
    .filter(({ path }) => /(^|\/)package\.json$|\.md$|^\.ci\//.test(path))
    .flatMap(({ path: file, text }) =>
      (text.match(/[\w./-]+\.mjs/g) ?? []).flatMap((name) => [
        path.posix.normalize(name),
        path.posix.join(path.posix.dirname(file), name),
      ]),
    )
  const typeTests = sources.map(({ path }) => path).filter((file) => file.startsWith('test/types/'))
  return [...named, ...typeTests]
}
