import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, type SecureVersion } from 'node:tls'
import { httpSink } from 'clew/profile'
import { parseTraces } from 'clew/trace'
import { runClew, startClew, withDirectory } from '../run-clew.test.ts'
import { WELL, wellTrace } from '../sample-traces.test.ts'
import { selfSigned } from '../self-signed.test.ts'

/** How a handshake by one version of TLS ends: the version, or why there is none. */
const handshake = (url: string, ca: string, version: SecureVersion) =>
  new Promise<string>((resolve) => {
    const versions = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' }
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca, ...versions })
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol()!)
      socket.destroy()
    })
    socket.once('error', ({ message }) => resolve(message))
  })

test('a collector that others may reach speaks TLS, to senders and to who asks', () =>
  withDirectory(async (cwd) => {
    const { cert, key } = selfSigned()
    await writeFile(join(cwd, 'cert.pem'), cert)
    await writeFile(join(cwd, 'key.pem'), key)
    const make = async (role: string) => {
      const args = ['token', 'collector', 'create', '--role', role, '--name', role]
      return (await runClew(args, { cwd })).stdout.trim()
    }
    const token = await make('ingest')
    const env = { CLEW_COLLECTOR_TOKEN: await make('read') }
    const trusting = { ...env, ['NODE_EXTRA_CA_CERTS']: join(cwd, 'cert.pem') }
    const secured = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem', '--tokens', 'tokens.json']
    const where = ['--memory', '--host', '0.0.0.0', '--port', '0']
    const running = startClew(['collect', ...where, ...secured], { cwd })
    try {
      await running.says('is it well?')
      const url = /https:\/\/127\.0\.0\.1:\d+/u.exec(running.said())![0]
      const sink = httpSink({ url, token, tls: { ca: cert } })
      sink.take(parseTraces(wellTrace()).traces[0]!)
      await sink.flush()
      assert.deepEqual([sink.counts.written, sink.counts.dropped], [2, 0])
      await sink.close()

      const ask = (address: string, variables: Readonly<Record<string, string>>) =>
        runClew(['show', WELL, '--collector', address], { cwd, env: variables })
      const shown = await ask(url, trusting)
      assert.match(shown.stdout, /greeting\.hello/u, shown.stderr)
      const strange = await ask(url, env)
      assert.equal(strange.code, 5)
      assert.match(
        strange.stderr,
        /certificate of https:.* is not trusted[\s\S]*NODE_EXTRA_CA_CERTS/u,
      )
      assert.equal((await ask(url.replace('https', 'http'), trusting)).code, 5)
      assert.equal(await handshake(url, cert, 'TLSv1.3'), 'TLSv1.3')
      assert.equal(await handshake(url, cert, 'TLSv1.2'), 'TLSv1.2')
      assert.match(await handshake(url, cert, 'TLSv1.1'), /protocol version/u)
      running.kill('SIGTERM')
      assert.equal((await running.ended).code, 0)
    } finally {
      running.kill('SIGKILL')
    }
  }))
