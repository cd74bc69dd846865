/** The documentation holds: its code compiles, its commands and flags exist, its links lead somewhere. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { checkCommand, commands, compiledCommandLine } from './docs/commands.ts'
import { type Complaint, compileFences } from './docs/compile.ts'
import { type Fence, fences, skipReason } from './docs/fences.ts'
import { brokenLinks } from './docs/links.ts'
import { ROOT, readSources } from './tidy/repository.ts'

const TYPESCRIPT = new Set(['ts', 'js', 'mjs'])
const SHELL = new Set(['sh', 'bash', 'console'])

const pages = readSources().filter(({ path }) => path.endsWith('.md'))
const all = pages.flatMap(({ path, text }) => fences(path, text))

function assertNone(complaints: readonly Complaint[]): void {
  const lines = complaints.map(({ path, line, message }) => `${path}:${line}: ${message}`)
  assert.equal(lines.length, 0, `\n${lines.join('\n')}\n`)
}

/** Fences of these languages that are to be checked; says how many are not, and why. */
function checked(context: TestContext, languages: ReadonlySet<string>): readonly Fence[] {
  const chosen = all.filter(({ language }) => languages.has(language))
  const skipped = chosen.filter((fence) => skipReason(fence) !== undefined)
  context.diagnostic(`${chosen.length - skipped.length} checked, ${skipped.length} not`)
  for (const fence of skipped) {
    const reason = skipReason(fence)!
    assert.notEqual(reason, '', `${fence.path}:${fence.line}: no-check needs a reason`)
    context.diagnostic(`${fence.path}:${fence.line} is not checked: ${reason}`)
  }
  return chosen.filter((fence) => skipReason(fence) === undefined)
}

test('the code in the documentation compiles', async (context) => {
  assertNone(await compileFences(checked(context, TYPESCRIPT), ROOT))
})

test('the commands in the documentation exist, and so do their flags', async (context) => {
  const clew = compiledCommandLine(ROOT)
  const found = checked(context, SHELL).flatMap(commands)
  const ofClew = found.filter(({ words }) => words.includes('clew')).length
  if (clew === undefined) {
    context.diagnostic(`packages/cli is not compiled: ${ofClew} commands of clew are not checked`)
  } else {
    assert.ok(await clew.help(undefined), 'node packages/cli/bin/clew.js --help does not work')
  }
  const complaints = await Promise.all(found.map((command) => checkCommand(command, ROOT, clew)))
  assertNone(complaints.flat())
})

test('links lead to files and headings that are there', () => {
  assertNone(pages.flatMap(({ path, text }) => brokenLinks(path, text, ROOT)))
})
