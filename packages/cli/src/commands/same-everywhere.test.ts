import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'
import { failedTrace, wellTrace } from '../sample-traces.test.ts'

/** What one who knows one command expects of all that read traces. */
const COMMANDS: readonly (readonly string[])[] = [
  ['analyze'],
  ['show'],
  ['breakdown'],
  ['critical-path'],
  ['critical-path', '--tree'],
  ['stragglers'],
  ['map'],
  ['docs'],
  ['render', '-o', 'out.svg'],
  ['convert', '-o', 'out.csv'],
]

test('each takes files, directories and, last, one trace; --json has the same two versions', () =>
  withDirectory(async (cwd) => {
    await mkdir(join(cwd, 'inner'))
    await fileIn(cwd, 'well.jsonl', wellTrace())
    await fileIn(cwd, 'inner/failed.jsonl', failedTrace())
    for (const command of COMMANDS) {
      for (const which of [['2'], ['0ffee00'], ['--trace', '0ffee00']]) {
        const words = [...command, 'well.jsonl', 'inner', ...which, '--json']
        const { code, stdout, stderr } = await runClew(words, { cwd })
        assert.equal(code, 0, `${words.join(' ')}: ${stderr}`)
        const { schema, version, ...told } = JSON.parse(stdout)
        assert.deepEqual([schema, version], [1, 1], command.join(' '))
        assert.doesNotMatch(JSON.stringify(told), /greeting/, words.join(' '))
      }
      const missing = await runClew([...command, 'nowhere.jsonl', '--json'], { cwd })
      const { schema, version, error } = JSON.parse(missing.stdout)
      assert.deepEqual([schema, version, error.code], [1, 1, 'no_such_file'], command.join(' '))
      assert.equal(missing.code, 3)
    }
  }))

test('a word that is a file is one, whatever it looks like', () =>
  withDirectory(async (cwd) => {
    await fileIn(cwd, '1', wellTrace())
    await fileIn(cwd, 'beef', failedTrace())
    const { stdout } = await runClew(['analyze', '1', 'beef', '--json'], { cwd })
    assert.equal(JSON.parse(stdout).traces, 2)
  }))
