import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAUSES, type Cause, type Planted, World } from './planted.test.ts'
import { type Verdict, verdict } from './verdict.ts'

/** Traces of each cause; `CLEW_ORACLE=20000` tries more. */
const TRACES = Number(process.env.CLEW_ORACLE ?? 500)
const FIRST_SEED = Number(process.env.CLEW_ORACLE_SEED ?? 1)

type Outcome = 'right' | 'unclear' | 'wrong' | 'hidden'

/** Whether the verdict names what was planted: the call, its instance, and the part of it. */
function names({ culprit, cause }: Planted, { failure, bottleneck, sentences }: Verdict): boolean {
  const { id, host, service, method } = culprit
  const said = sentences[0]!.includes(`${service}${culprit.edge === 'down' ? ' ' : '.'}${method}`)
  if (!said) return false
  if (failure !== undefined) {
    const suspect = failure.suspect ?? failure.origin
    if (suspect.id.slice(0, 16) !== id) return false
    const { kind } = failure
    // Where the callee left no record, nobody can tell what became of it.
    const unknown = kind === 'unanswered' || (kind === 'timeout' && suspect.presence === '1001')
    if (cause === 'timeout') return kind === 'timeout' || unknown
    if (cause === 'crash') return kind === 'crash' || unknown
    if (cause === 'lost-reply') return kind === 'lost' || unknown
    return cause === 'error' && (kind === 'error' || kind === 'caller')
  }
  if (!cause.startsWith('slow')) return false
  if (cause === 'slow-instance') return sentences[0]!.includes(` on ${host}`)
  if (bottleneck === undefined || bottleneck.service !== service || bottleneck.method !== method)
    return false
  if (cause === 'slow-queue') return bottleneck.where === 'wait'
  if (cause === 'slow-start') return bottleneck.where === 'start' || bottleneck.where === 'work'
  return bottleneck.where === 'work' && (culprit.edge === 'down' || bottleneck.host === host)
}

function outcomeOf(planted: Planted, judged: Verdict): Outcome {
  if (judged.unclear) return 'unclear'
  if (names(planted, judged)) return 'right'
  return planted.visible ? 'wrong' : 'hidden'
}

function tally(
  cause: Cause,
  foreign: boolean,
): { counts: Record<Outcome, number>; wrong: string[] } {
  const counts = { right: 0, unclear: 0, wrong: 0, hidden: 0 }
  const wrong: string[] = []
  for (let index = 0; index < TRACES; index++) {
    const seed = FIRST_SEED * 1_000_003 + CAUSES.indexOf(cause) * 100_003 + index
    const planted = new World(seed).plant(cause, { foreign })
    const judged = verdict(planted.tree)
    const outcome = outcomeOf(planted, judged)
    counts[outcome]++
    if (outcome !== 'wrong') continue
    const { service, method, host, id } = planted.culprit
    wrong.push(`${seed}: ${id} ${service}.${method} on ${host}: ${judged.sentences.join(' ')}`)
  }
  return { counts, wrong }
}

for (const cause of CAUSES) {
  test(`a planted cause is found or said to be unclear, never another: ${cause}`, (t) => {
    const { counts, wrong } = tally(cause, false)
    t.diagnostic(`${cause}: ${JSON.stringify(counts)}`)
    assert.deepEqual(wrong, [])
    assert.ok(counts.right >= 0.95 * TRACES, JSON.stringify(counts))
    assert.ok(counts.unclear + counts.hidden <= 0.05 * TRACES, JSON.stringify(counts))
  })

  test(`in one-sided records of other systems, some of them lost: ${cause}`, (t) => {
    const { counts, wrong } = tally(cause, true)
    t.diagnostic(`${cause}, foreign: ${JSON.stringify(counts)}`)
    assert.deepEqual(wrong, [])
    assert.ok(counts.right >= 0.6 * TRACES, JSON.stringify(counts))
  })
}
