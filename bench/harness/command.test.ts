import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const COMMANDS = [
  ...['all', 'analysis', 'collector', 'figures', 'guard', 'micro', 'overhead', 'peers'],
  ...['sinks', 'stores'],
]

async function run(command: string, ...parameters: string[]) {
  const program = fileURLToPath(new URL(`../${command}.js`, import.meta.url))
  const child = spawn(process.execPath, [program, ...parameters])
  const [printed, said] = [text(child.stdout), text(child.stderr)]
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, printed: await printed, said: await said }
}

for (const command of COMMANDS) {
  test(`${command} tells what it does, and which option is wrong before it begins`, async () => {
    const help = await run(command, '--help')
    assert.deepEqual([help.code, help.said], [0, ''])
    assert.match(help.printed, /npm run (-s )?bench/)
    const wrong = await run(command, '--unknown')
    assert.deepEqual([wrong.code, wrong.printed], [2, ''])
    assert.match(wrong.said, /^\w+: there is no option --unknown; see --help\n$/)
  })
}

test('what fails later ends with 1', async () => {
  const { code, said } = await run('micro', '--quick', '--steps', 'other')
  assert.equal(code, 1)
  assert.match(said, /^micro: there is no step "other", only stamp, /)
})
