import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROOT } from '../tidy/repository.ts'
import { type CommandLine, checkCommand, commands } from './commands.ts'
import { compileFences } from './compile.ts'
import { fences, skipReason } from './fences.ts'
import { brokenLinks, headings } from './links.ts'

const TICKS = '```'

function page(...lines: readonly string[]): string {
  return lines.join('\n').replaceAll("'''", TICKS)
}

test('fences are found with their language, mark, line and hidden beginning', () => {
  const text = page(
    '# Title',
    '<!-- before: const a = 1 -->',
    "'''ts continued",
    'a + 1',
    "'''",
    'prose',
    "   '''`sh no-check: needs a cluster",
    '   clew x',
    "   '''",
    "   '''`",
    '~~~',
    'plain',
  )
  const found = fences('a.md', text)
  assert.deepEqual(
    found.map(({ language, mark, line, code, before }) => [language, mark, line, code, before]),
    [
      ['ts', 'continued', 4, 'a + 1', 'const a = 1'],
      ['sh', 'no-check: needs a cluster', 8, `clew x\n${TICKS}`, ''],
      ['', '', 12, 'plain', ''],
    ],
  )
  assert.equal(skipReason(found[0]!), undefined)
  assert.equal(skipReason(found[1]!), 'needs a cluster')
})

test('a fence that does not compile is told by its line in the page', async () => {
  const text = page(
    '<!-- before:',
    'declare function greet(name: string): Promise<string>',
    '-->',
    "'''ts",
    'const greeting = await greet(7)',
    "'''",
    "'''ts continued",
    'const length: string = greeting.length',
    "'''",
  )
  const found = await compileFences(fences('a.md', text), ROOT)
  assert.deepEqual(
    found.map(({ path, line, message }) => `${path}:${line} ${message.slice(0, 12)}`),
    ['a.md:5 error TS2345', 'a.md:8 error TS2322'],
  )
})

test('JavaScript is compiled too', async () => {
  const text = page("'''js", 'const broken = (', "'''", "'''ts", 'nix()', "'''")
  const found = await compileFences(fences('a.md', text), ROOT)
  assert.ok(found.some(({ line, message }) => line === 2 && message.includes('TS1109')))
})

test('fences of a page import each other by name and are strangers otherwise', async () => {
  const text = page(
    "'''ts",
    '// id-service.ts',
    'export class IdService {}',
    'const here = 1',
    "'''",
    "'''ts",
    "import { IdService } from './id-service.ts'",
    'const here = new IdService()',
    "'''",
  )
  assert.deepEqual(await compileFences(fences('a.md', text), ROOT), [])
  const varied = [...fences('a.md', text), ...fences('a.md', text.replace('class', 'clas'))]
  assert.notEqual((await compileFences(varied, ROOT)).length, 0)
  const elsewhere = await compileFences(
    [...fences('a.md', text).slice(0, 1), ...fences('b.md', text).slice(1)],
    ROOT,
  )
  assert.equal(elsewhere.length, 1)
})

test('relative imports are meant from where the page is', async () => {
  const text = page("'''ts", "import { tokenize } from '../tidy/tokens.ts'", "tokenize('x')", "'''")
  assert.deepEqual(await compileFences(fences('test/docs/a.md', text), ROOT), [])
  assert.equal((await compileFences(fences('a.md', text), ROOT)).length, 1)
})

test('commands are taken out of lists, pipes and transcripts', () => {
  const [fence] = fences(
    'a.md',
    page(
      "'''sh",
      '$ A=1 npm run check -- --quick && clew show "a b" | less # why',
      'npm err printed',
      '$ clew call x.y \\',
      "  --json 2> err.txt '# no comment'",
      "'''",
    ),
  )
  assert.deepEqual(
    commands(fence!).map(({ line, words }) => [line, ...words]),
    [
      [2, 'npm', 'run', 'check', '--', '--quick'],
      [2, 'clew', 'show', 'a b'],
      [2, 'less'],
      [4, 'clew', 'call', 'x.y', '--json', '# no comment'],
    ],
  )
})

const clew: CommandLine = {
  help: async (name) =>
    name === undefined || name === 'show' ? 'FLAGS\n  -o, --output FILE\n  --color' : undefined,
}

async function said(line: string, without?: 'no command line') {
  const commandLine = without === undefined ? clew : undefined
  const [fence] = fences('a.md', page("'''sh", line, "'''"))
  const found = await Promise.all(
    commands(fence!).map((one) => checkCommand(one, ROOT, commandLine)),
  )
  return found.flat().map(({ message }) => message)
}

test('commands and flags that there are not are complained of', async () => {
  assert.deepEqual(await said('clew show x -o y --output=z --no-color -- --any'), [])
  assert.deepEqual(await said('npx clew shwo x'), ['there is no command "clew shwo"'])
  assert.deepEqual(await said('clew show --outptu y'), ['"clew show" has no flag --outptu'])
  assert.deepEqual(await said('clew --nix'), ['"clew" has no flag --nix'])
  assert.deepEqual(await said('clew shwo', 'no command line'), [])
  assert.deepEqual(await said('npm test && npm run check && npm install x'), [])
  assert.deepEqual(await said('npm run nix'), ['package.json has no script "nix"'])
  assert.deepEqual(await said('node scripts/rabbitmq.mjs -- x; node scripts/nix.mjs'), [
    'there is no scripts/nix.mjs',
  ])
})

test('links that lead nowhere are found, those in code and to elsewhere are not followed', () => {
  const text = page(
    '# A title, `with` code!',
    '[a](package.json) [b](nix.md) [c](#a-title-with-code) [d](#nix) [e](https://example.org)',
    '`[f](nix.md)` ![g](packages/nix.png "title")',
    "'''md",
    '[h](nix.md)',
    "'''",
    '[i]: nix.txt',
    '<img src="nix.svg" alt="">',
    '[j](../outside.md)',
  )
  assert.deepEqual(
    brokenLinks('a.md', text, ROOT).map(({ line, message }) => `${line}: ${message}`),
    [
      '2: there is no nix.md',
      '2: #nix: there is no such heading',
      '3: there is no packages/nix.png',
      '9: ../outside.md leads out of the repository',
      '7: there is no nix.txt',
      '8: there is no nix.svg',
    ],
  )
})

test('headings of one name are told apart', () => {
  assert.deepEqual([...headings('# A b\n## A b\n### [C](d.md)')], ['a-b', 'a-b-1', 'c'])
})
