import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'
import { failedTrace, wellTrace } from '../sample-traces.test.ts'

test('the map is text, one JSON value, and a file of the kind its ending names', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'well.jsonl', wellTrace())
    const text = await runClew(['map', file])
    assert.equal(text.code, 0)
    assert.match(text.stdout, /^2 services\. Everything enters by greeting\./)
    const json = await runClew(['map', '-', '--json'], { stdin: wellTrace() })
    const { schema, version, map } = JSON.parse(json.stdout)
    assert.deepEqual([schema, version, map.traces], [1, 1, 1])
    const starts = {
      svg: '<svg',
      png: '\ufffdPNG',
      dot: 'digraph',
      mmd: 'flowchart',
      md: '# The',
      json: '{',
    }
    for (const [ending, start] of Object.entries(starts)) {
      const out = join(directory, `map.${ending}`)
      const { code, stderr } = await runClew(['map', file, '-o', out, '--methods'])
      assert.equal(code, 0, stderr)
      assert.ok((await readFile(out, 'utf8')).startsWith(start), ending)
    }
  }))

test('what cannot be mapped is told, with --json as one JSON value', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'well.jsonl', wellTrace())
    assert.equal((await runClew(['map'])).code, 2)
    assert.equal((await runClew(['map', file, '-o', 'map.pdf'])).code, 2)
    const { code, stdout } = await runClew(['map', file, '--service', 'nobody', '--json'])
    assert.equal(code, 3)
    assert.equal(JSON.parse(stdout).error.code, 'no_such_service')
  }))

test('the documentation is the same every time', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'well.jsonl', wellTrace())
    const out = join(directory, 'system.md')
    const first = await runClew(['docs', file])
    assert.equal((await runClew(['docs', file, '-o', out])).code, 0)
    assert.equal((await readFile(out, 'utf8')).trimEnd(), first.stdout.trimEnd())
    assert.match(first.stdout, /^# The system[\s\S]*\n## What is uncertain\n/)
    const { map } = JSON.parse((await runClew(['docs', file, '--json'])).stdout)
    assert.equal(map.traces, 1)
  }))

test('a directory gets a page for each service, and what others wrote there stays', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'well.jsonl', wellTrace())
    const out = join(directory, 'deep', 'system')
    const write = () => runClew(['docs', file, '-o', `${out}/`])
    assert.equal((await write()).code, 0)
    const first = await readdir(out)
    assert.ok(first.length > 1 && first.includes('README.md'))
    const before = await Promise.all(first.map((name) => readFile(join(out, name), 'utf8')))
    await writeFile(join(out, 'mine.md'), '# mine')
    await writeFile(join(out, 'gone.md'), before[0]!)
    const again = await write()
    assert.match(again.stderr, /gone\.md/)
    assert.deepEqual((await readdir(out)).sort(), [...first, 'mine.md'].sort())
    const after = await Promise.all(first.map((name) => readFile(join(out, name), 'utf8')))
    assert.deepEqual(after, before)
    await writeFile(join(out, 'README.md'), '# mine')
    const refused = await runClew(['docs', file, '-o', `${out}/`, '--json'])
    assert.equal(refused.code, 1)
    assert.equal(JSON.parse(refused.stdout).error.code, 'not_a_page')
    assert.equal(await readFile(join(out, 'README.md'), 'utf8'), '# mine')
  }))

test('one trace is mapped by show and by render', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'well.jsonl', wellTrace())
    const shown = await runClew(['show', file, '--view', 'map'])
    assert.deepEqual([shown.code, shown.stdout], [0, (await runClew(['map', file])).stdout])
    const out = join(directory, 'map.svg')
    assert.equal((await runClew(['render', file, '-o', out, '--view', 'map'])).code, 0)
    assert.match(await readFile(out, 'utf8'), /Layout of the system/)
    const two = await fileIn(directory, 'two.jsonl', wellTrace() + failedTrace())
    const all = await runClew(['show', two, '--view', 'map'])
    assert.deepEqual([all.code, all.stdout], [0, (await runClew(['map', two])).stdout])
    const drawn = await runClew(['render', two, '-o', out, '--view', 'map', '--json'])
    assert.equal(JSON.parse(drawn.stdout).traces, 2)
  }))
