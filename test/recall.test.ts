import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { connect, rabbitmq, withOptions } from 'clew'
import { profile, type Sink, traced, traceOf } from 'clew/profile'
import { type CallNode, callTree, type Trace, verdict } from 'clew/trace'
import { uniqueName } from './brokers.ts'
import { startProcess } from './processes/start.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

interface Chained {
  pay(): Promise<string>
}

/** `service` and which of request, receive, respond, finish were observed, down the chain. */
function chainOf(call: CallNode, stems: Record<string, string>): readonly string[] {
  const own = `${stems[call.service] ?? call.service} ${call.presence}`
  return [own, ...call.calls.flatMap((inner) => chainOf(inner, stems))]
}

/** Three services, each in a process of its own; the second does as it is told. */
async function chain(t: TestContext, mode: string) {
  const [front, payments, ledger] = [
    uniqueName('front'),
    uniqueName('payments'),
    uniqueName('ledger'),
  ]
  const environment = (NAME: string, NEXT = '') => ({ NAME, NEXT, MODE: '', TIMEOUT_MS: '700' })
  const [, middle] = await Promise.all([
    startProcess(t, 'chained', environment(front, payments)),
    startProcess(t, 'chained', { ...environment(payments, ledger), MODE: mode }),
    startProcess(t, 'chained', environment(ledger)),
  ])
  const stems = { [front]: 'front', [payments]: 'payments', [ledger]: 'ledger' }
  const plain = (text: string) =>
    Object.entries(stems).reduce((words, [name, stem]) => words.replaceAll(name, stem), text)
  return { front, middle, stems, plain }
}

async function failing(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'did not fail' })
}

describe('a call whose reply never came', { skip }, () => {
  async function told(t: TestContext, mode: string, meanwhile: (middle: Middle) => Promise<void>) {
    const { front, middle, stems, plain } = await chain(t, mode)
    await using cluster = await connect(rabbitmq(url ?? ''))
    const asking = failing(traced(cluster.proxy<Chained>(front)).pay())
    await meanwhile(middle)
    const trace = traceOf(await asking)
    assert.ok(trace !== undefined)
    const tree = callTree(trace)
    assert.deepEqual(
      tree.problems.filter(({ kind }) => kind === 'duplicate'),
      [],
    )
    return { chain: chainOf(tree.root, stems), words: plain(verdict(tree).sentences.join(' ')) }
  }
  type Middle = Awaited<ReturnType<typeof chain>>['middle']

  it('is followed to the service that hangs', async (t) => {
    const { chain, words } = await told(t, 'hang', async () => {})
    assert.deepEqual(chain, ['front 1111', 'payments 1111', 'ledger 1111'])
    assert.match(words, /^payments\.pay on \S+ was not done when its caller stopped waiting/u)
  })

  it('is followed to the process that was killed', async (t) => {
    const { chain, words } = await told(t, 'hang', async (middle) => {
      await middle.says('worked')
      middle.child.kill('SIGKILL')
    })
    assert.deepEqual(chain, ['front 1111', 'payments 1001', 'ledger 0110'])
    assert.match(
      words,
      /^payments\.pay was taken up, for it called ledger\.pay, and did not answer after .*: its process crashed/u,
    )
  })

  it('is followed to its end where only the reply was lost', async (t) => {
    const { chain, words } = await told(t, 'lose', async () => {})
    assert.deepEqual(chain, ['front 1111', 'payments 1111', 'ledger 1111'])
    assert.match(words, /payments\.pay on \S+ answered in time, but its reply was lost on the way/u)
  })

  it('comes to sinks whole, and no result waits for it', async (t) => {
    const { front, stems } = await chain(t, 'hang')
    const traces: Trace[] = []
    const counts = { taken: 0, written: 0, dropped: 0 }
    const none = async () => {}
    const sink: Sink = { take: (trace) => traces.push(trace), flush: none, close: none, counts }
    await using cluster = await connect(rabbitmq(url ?? ''), { use: [profile({ sink })] })
    const impatient = withOptions(cluster.proxy<Chained>(front), { timeoutMs: 300 })
    const error = await failing(impatient.pay())
    // The front inherits the deadline: whichever of the two gives up first, it says so.
    assert.match(String(error), /\[timeout\] \S+ did not reply/u)
    assert.equal(traces.length, 0)
    while (traces.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    const { root } = callTree(traces[0]!)
    const calls = chainOf(root, stems)
    assert.equal(calls.length, 3)
    for (const call of calls) assert.match(call, / 11/u)
  })
})
