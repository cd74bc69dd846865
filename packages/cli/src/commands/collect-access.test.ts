import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type RunningClew, runClew, startClew, withDirectory } from '../run-clew.test.ts'

const urlIn = (said: string) => /http:\/\/127\.0\.0\.1:\d+/u.exec(said)![0]

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

/** A collector that ends with the test, however that ends. */
async function withCollector(
  args: readonly string[],
  cwd: string,
  work: (url: string, running: RunningClew) => Promise<void>,
): Promise<string> {
  const running = startClew(['collect', '--port', '0', ...args], { cwd })
  try {
    await running.says('is it well?')
    await work(urlIn(running.said()), running)
    running.kill('SIGTERM')
    assert.equal((await running.ended).code, 0)
    return running.said()
  } finally {
    running.kill('SIGKILL')
  }
}

/** What comes back for bytes as they are: no client would send them. */
function rawly(url: string, request: string): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => socket.write(request))
    let answer = ''
    socket.setTimeout(5000, () => socket.destroy())
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text
    })
    socket.on('error', () => {}).on('close', () => resolve(answer))
  })
}

test('a collector with tokens lets in who has one, follows its file, and writes down who failed', () =>
  withDirectory(async (cwd) => {
    const make = async (...args: readonly string[]) =>
      (await runClew(['token', 'collector', 'create', ...args], { cwd })).stdout.trim()
    const made: string[] = []
    const sender = await make('--role', 'ingest', '--name', 'orders')
    const said = await withCollector(
      ['--tokens', 'tokens.json', '--behind-tls-proxy'],
      cwd,
      async (url, running) => {
        const post = async (token: string) =>
          (await fetch(`${url}/v1/batches`, { method: 'POST', body: 'x', ...bearer(token) })).status
        assert.equal(await post(sender), 400)
        assert.equal(await post(`${sender.slice(0, -1)}!`), 401)
        assert.equal(
          (await fetch(`${url}/v1/batches?token=${sender}`, { method: 'POST' })).status,
          401,
        )
        assert.equal((await fetch(`${url}/healthz`)).status, 200)
        // Made after it was started: it is read again, at the latest on SIGHUP.
        const later = await make('--role', 'ingest', '--name', 'later')
        made.push(later)
        running.kill('SIGHUP')
        for (let tries = 0; (await post(later)) !== 400; tries++) assert.ok(tries < 500)
        await runClew(['token', 'collector', 'revoke', 'later'], { cwd })
        running.kill('SIGHUP')
        for (let tries = 0; (await post(later)) !== 401; tries++) assert.ok(tries < 500)
        // A damaged file shuts nobody out, and is told.
        await writeFile(`${cwd}/tokens.json`, '{"version":1,')
        running.kill('SIGHUP')
        await running.says('no file of tokens')
        assert.equal(await post(sender), 400)
        const { problems } = (await (await fetch(`${url}/healthz`)).json()) as {
          problems: string[]
        }
        assert.match(problems.join(), /the file of tokens cannot be read/)
        assert.ok(!problems.join().includes(cwd))
      },
    )
    const log = await readFile(`${cwd}/clew-store/audit/audit.jsonl`, 'utf8')
    assert.equal((await stat(`${cwd}/clew-store/audit/audit.jsonl`)).mode & 0o777, 0o600)
    assert.match(log, /"what":"attempt","result":"unknown"/)
    assert.match(log, /"what":"tokens read","result":"2 tokens"/)
    for (const token of [sender, ...made]) {
      assert.ok(!`${log}${said}`.includes(token.slice(22)))
    }
  }))

test('headers that are hostile get an answer or none, and the collector goes on', () =>
  withDirectory(async (cwd) => {
    await withCollector(['--memory'], cwd, async (url, running) => {
      const get = (headers: string) =>
        `GET /healthz HTTP/1.1\r\nconnection: close\r\n${headers}\r\n`
      const { host } = new URL(url)
      const post = (headers: string) =>
        `POST /v1/batches HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-length: 0\r\n${headers}\r\n`
      const cases: readonly (readonly [string, RegExp])[] = [
        [get(`host: ${host}\r\nx: ${'a'.repeat(100_000)}\r\n`), /^$|^HTTP\/1\.1 431 /],
        [get(`host: ${host}\r\n${'x: y\r\n'.repeat(20_000)}`), /^$|^HTTP\/1\.1 431 /],
        [get(`host: ${host}\r\nx\0y: z\r\n`), /^HTTP\/1\.1 400 /],
        [get(''), /^HTTP\/1\.1 400 /],
        [post('authorization: Bearer x\r\nauthorization: Bearer y\r\n'), /^HTTP\/1\.1 400 /],
        [post('x-forwarded-for: 127.0.0.1\r\n'), /^HTTP\/1\.1 403 .*"proxy"/s],
        [post('').replace(host, 'evil.example'), /^HTTP\/1\.1 403 .*"host"/s],
        [post('transfer-encoding: chunked\r\n'), /^HTTP\/1\.1 400 /],
      ]
      for (const [request, expected] of cases) {
        assert.match(await rawly(url, request), expected, request.slice(0, 200))
      }
      assert.equal((await fetch(`${url}/healthz`)).status, 200)
      running.kill('SIGHUP')
      assert.equal((await fetch(`${url}/healthz`)).status, 200)
    })
  }))
