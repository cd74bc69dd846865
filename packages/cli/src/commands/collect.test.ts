import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { runClew, startClew, withDirectory } from '../run-clew.test.ts'

const urlIn = (said: string) => /http:\/\/127\.0\.0\.1:\d+/u.exec(said)![0]

test('a collector says where it answers, keeps its folder to itself, and ends when told to', () =>
  withDirectory(async (cwd) => {
    const running = startClew(['collect', '--port', '0'], { cwd })
    await running.says('is it well?')
    const url = urlIn(running.said())
    const health = (await (await fetch(`${url}/healthz`)).json()) as { ok: boolean }
    assert.equal(health.ok, true)
    const second = await runClew(['collect', '--port', '0'], { cwd })
    assert.equal(second.code, 1)
    assert.match(second.stderr, /cannot be opened/u)
    const taken = await runClew(['collect', '--memory', '--port', new URL(url).port], { cwd })
    assert.equal(taken.code, 1)
    assert.match(taken.stderr, /port \d+ .*is taken/u)
    running.kill('SIGTERM')
    const { code, stdout } = await running.ended
    assert.deepEqual([code, stdout], [0, ''])
    const again = startClew(['collect', '--port', '0'], { cwd })
    await again.says('is it well?')
    again.kill('SIGINT')
    assert.equal((await again.ended).code, 0)
  }))

test('what others could reach unasked, or makes no sense, is refused with what to do', () =>
  withDirectory(async (cwd) => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['--memory', '--host', '0.0.0.0'], /tokens .* and TLS/u],
      [['--host', '0.0.0.0'], /tokens .* and TLS/u],
      [['--behind-tls-proxy'], /needs tokens/u],
      [['--host', 'no.such.invalid'], /has no address/u],
      [['--memory', '--host', '::'], /tokens .* and TLS/u],
      [['--memory', '--behind-tls-proxy'], /needs tokens/u],
      [['--memory', '--clickhouse', 'http://x'], /two places/u],
      [['--cluster', 'main'], /--clickhouse URL/u],
      [['--print-schema', '--cluster', "a'b"], /no name of a cluster/u],
      [['--memory', '--tls-cert', 'x.pem'], /both --tls-cert and --tls-key/u],
      [['--port', '70000'], /no port/u],
      [['--keep', 'long'], /12h or 7d/u],
      [['--max-size', '1KB'], /500MB or 20GB/u],
    ]
    for (const [args, words] of cases) {
      const { code, stderr } = await runClew(['collect', ...args], { cwd })
      assert.deepEqual([code, words.test(stderr)], [2, true], stderr)
    }
    // Refused before anything is made: no store, no audit log.
    assert.deepEqual(await readdir(cwd), [])
  }))

test('a ClickHouse that is not there is told without its password, and its tables are printed', () =>
  withDirectory(async (cwd) => {
    const gone = ['--clickhouse', 'http://someone:hunter2@127.0.0.1:1']
    const { code, stderr } = await runClew(['collect', ...gone], { cwd })
    assert.equal(code, 1)
    assert.match(stderr, /ClickHouse cannot be used[\s\S]*127\.0\.0\.1:1[\s\S]*scaling\.md/u)
    assert.doesNotMatch(stderr, /hunter2/u)
    const printed = await runClew(['collect', '--print-schema', '--cluster', 'main'], { cwd })
    assert.equal(printed.code, 0)
    assert.match(printed.stdout, /ON CLUSTER 'main'[\s\S]*Distributed\('main'/u)
  }))
