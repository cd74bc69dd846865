import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  forbiddenImports,
  importCycles,
  scatteredDependencies,
  unreferencedFiles,
  type Workspace,
} from './imports.ts'
import { imports, type Source, type Violation } from './source.ts'
import { FOLDERS } from './tables.ts'

const CLEW: Workspace = {
  name: 'clew',
  folder: 'packages/clew',
  exports: {
    '.': 'packages/clew/src/index.ts',
    './trace': 'packages/clew/src/trace/index.ts',
    './profile': 'packages/clew/src/profile/index.ts',
  },
  programs: [],
  dependencies: ['amqp'],
}
const RENDER: Workspace = {
  name: '@clew/render',
  folder: 'packages/render',
  exports: { '.': 'packages/render/src/index.ts' },
  programs: [],
  dependencies: ['clew'],
}
const WORKSPACES = [CLEW, RENDER]

function files(texts: Readonly<Record<string, string>>): readonly Source[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }))
}

function said(found: readonly Violation[]): readonly string[] {
  return found.map(({ path, line, message }) => `${path}:${line}: ${message}`)
}

/** What the real table says of one import. */
function judge(path: string, statement: string): readonly string[] {
  const found = forbiddenImports(files({ [path]: statement }), FOLDERS, WORKSPACES)
  return found.map(({ message }) => message)
}

test('imports are read in every form', () => {
  const text = `
import a from 'a'
import 'b'
import type { C } from 'c'
import { type D, type E } from 'd'
import { type F, g } from 'f'
import * as h from 'h'
export { i } from 'i'
export * from 'j'
export type { K } from 'k'
const l = await import('l')
export const m = 1, from = 'no import'
export { m }
import { n } from 'n'
import.meta.url`
  const found = imports({ path: 'x.ts', text }).map(
    ({ specifier, typeOnly, line }) => `${line} ${specifier}${typeOnly ? ' types' : ''}`,
  )
  assert.deepEqual(found, [
    '2 a',
    '3 b',
    '4 c types',
    '5 d types',
    '6 f',
    '7 h',
    '8 i',
    '9 j',
    '10 k types',
    '11 l',
    '14 n',
  ])
})

test('a forbidden import between folders is found, an allowed one is not', () => {
  const path = 'packages/clew/src/container/run.ts'
  assert.deepEqual(judge(path, "import { rpc } from '../service/index.ts'"), [])
  assert.deepEqual(judge(path, "import { memory } from '../broker/index.ts'"), [
    'packages/clew/src/container may not import ../broker/index.ts',
  ])
  assert.deepEqual(judge(path, "import type { X } from '../trace/index.ts'"), [
    'packages/clew/src/container may not import ../trace/index.ts (types)',
  ])
  assert.equal(judge(path, "const x = await import('../profile/index.ts')").length, 1)
})

test('folders below a folder are bound by its rule', () => {
  const path = 'packages/clew/src/call/deep/down.ts'
  assert.deepEqual(judge(path, "import { x } from '../errors.ts'"), [])
  assert.equal(judge(path, "import { x } from '../../trace/entry.ts'").length, 1)
})

test('trace imports nothing at all', () => {
  const path = 'packages/clew/src/trace/codec.ts'
  assert.deepEqual(judge(path, "import { x } from './entry.ts'"), [])
  assert.equal(judge(path, "import fs from 'node:fs'").length, 1)
  assert.equal(judge(path, "import { x } from 'amqp'").length, 1)
  assert.equal(judge(path, "import { x } from '../call/index.ts'").length, 1)
})

test("clew's index names types of the profiler only", () => {
  const path = 'packages/clew/src/index.ts'
  assert.deepEqual(judge(path, "export type { Sink } from './profile/index.ts'"), [])
  assert.deepEqual(judge(path, "export { profile } from './profile/index.ts'"), [
    'packages/clew/src/. may not import ./profile/index.ts',
  ])
})

test('packages reach each other by public names only', () => {
  const path = 'packages/render/src/svg/card.ts'
  assert.deepEqual(judge(path, "import { callTree } from 'clew/trace'"), [])
  assert.equal(judge(path, "import { run } from 'clew'").length, 1)
  assert.equal(judge(path, "import { x } from '../../../clew/src/trace/index.ts'").length, 1)
  assert.equal(judge(path, "import fs from 'node:fs'").length, 1)
})

test('tests may import what they test with, and nobody imports a test', () => {
  const statement = "import { memory } from '../broker/index.ts'"
  assert.deepEqual(judge('packages/clew/src/container/run.test.ts', statement), [])
  const back = "import { x } from './run.test.ts'"
  assert.equal(judge('packages/clew/src/container/run.ts', back).length, 1)
})

test('a circle of imports is found once, types and packages included', () => {
  const found = importCycles(
    files({
      'packages/clew/src/trace/index.ts': "export * from './a.ts'",
      'packages/clew/src/trace/a.ts': "import type { B } from './b.ts'",
      'packages/clew/src/trace/b.ts': "import { x } from '@clew/render'",
      'packages/render/src/index.ts': "import { y } from 'clew/trace'",
      'packages/render/src/other.ts': "import { z } from './index.ts'",
    }),
    WORKSPACES,
  )
  assert.equal(found.length, 1)
  assert.match(found[0]!.message, /index\.ts -> .*a\.ts -> .*b\.ts -> .*render.*index\.ts -> /)
})

test('files that share what they import are no circle', () => {
  const found = importCycles(
    files({
      'a.ts': "import { b } from './b.ts'\nimport { c } from './c.ts'",
      'b.ts': "import { d } from './d.ts'",
      'c.ts': "import { d } from './d.ts'",
      'd.ts': '',
    }),
    [],
  )
  assert.deepEqual(found, [])
})

test('a dependency in two files of a package is found, unless the table has it', () => {
  const sources = files({
    'packages/clew/src/index.ts': "export * from './a.ts'\nimport './b.ts'",
    'packages/clew/src/suite.ts': "import { x } from 'amqp'\nimport fc from 'fast-check'",
    'packages/clew/src/a.ts': "import { x } from 'amqp'",
    'packages/clew/src/b.ts': "\nimport { y } from 'amqp/deep'\nimport fs from 'node:fs'",
    'packages/clew/src/c.test.ts': "import fc from 'fast-check'",
  })
  assert.deepEqual(said(scatteredDependencies(sources, WORKSPACES, [])), [
    'packages/clew/src/b.ts:2: amqp should sit behind one file, and is imported by packages/clew/src/a.ts, packages/clew/src/b.ts',
  ])
  const shared = [{ workspace: 'clew', dependency: 'amqp', reason: 'two halves' }]
  assert.deepEqual(scatteredDependencies(sources, WORKSPACES, shared), [])
})

test('a dependency that package.json does not declare is found', () => {
  const sources = files({
    'packages/render/src/index.ts': "import './a.ts'",
    'packages/render/src/a.ts': "import x from '@scope/name/sub'",
  })
  assert.deepEqual(said(scatteredDependencies(sources, WORKSPACES, [])), [
    'packages/render/src/a.ts:1: @scope/name is no dependency of @clew/render',
  ])
})

test('a file that nothing names is found', () => {
  const sources = files({
    'packages/clew/src/index.ts': "import { a } from './a.ts'",
    'packages/clew/src/a.ts': "new URL('./worker.js', import.meta.url)",
    'packages/clew/src/worker.ts': '',
    'packages/clew/src/a.test.ts': '',
    'packages/clew/src/lost.ts': "import { a } from './a.ts'",
    'scripts/run.mjs': '',
  })
  assert.deepEqual(said(unreferencedFiles(sources, WORKSPACES, ['scripts/run.mjs'])), [
    'packages/clew/src/lost.ts:1: nothing imports this file',
  ])
})
