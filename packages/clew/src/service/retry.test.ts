import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '../call/index.ts'
import { retry, waitAfter } from './retry.ts'

/** Fails so many times before it succeeds. */
function failing(times: number, error: Error = new Error('not yet')) {
  const attempts: number[] = []
  const operation = async (attempt: number) => {
    attempts.push(attempt)
    if (attempts.length <= times) throw error
    return 'done'
  }
  return { attempts, operation }
}

describe('retry', () => {
  it('tries again until it succeeds', async () => {
    const { attempts, operation } = failing(2)
    assert.equal(await retry(operation, { delayMs: 0 }), 'done')
    assert.deepEqual(attempts, [1, 2, 3])
  })

  it('throws what the last attempt threw', async () => {
    const { attempts, operation } = failing(9)
    await assert.rejects(retry(operation, { delayMs: 0, maxAttempts: 4 }), /not yet/)
    assert.equal(attempts.length, 4)
  })

  it('does not try again after other errors', async () => {
    const { attempts, operation } = failing(9, new TypeError('never'))
    await assert.rejects(retry(operation, { delayMs: 0, errors: [RangeError] }), /never/)
    assert.equal(attempts.length, 1)
    const allowed = failing(1, new RangeError('once'))
    assert.equal(await retry(allowed.operation, { delayMs: 0, errors: [RangeError] }), 'done')
  })

  it('waits longer each time, up to a limit', () => {
    const options = { delayMs: 100, backoff: 3, maxDelayMs: 1000 }
    const waits = [1, 2, 3, 4, 1e6].map((attempt) => waitAfter(attempt, options))
    assert.deepEqual(waits, [100, 300, 900, 1000, 1000])
  })

  it('stops waiting when its signal aborts', async () => {
    const abort = new AbortController()
    const { attempts, operation } = failing(9)
    const retried = retry(operation, { delayMs: 60_000, signal: abort.signal })
    setImmediate(() => abort.abort())
    await assert.rejects(retried, /not yet/)
    assert.equal(attempts.length, 1)
  })

  it('refuses options that cannot be right', async () => {
    for (const options of [
      { maxAttempts: 0 },
      { maxAttempts: Number.NaN },
      { delayMs: -1 },
      { backoff: 0.5 },
      { maxDelayMs: -1 },
    ]) {
      await assert.rejects(retry(failing(0).operation, options), ConfigError)
    }
  })
})
