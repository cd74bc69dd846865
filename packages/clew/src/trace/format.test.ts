import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodeTrace } from './file.ts'
import * as format from './format.ts'
import { Log } from './log.ts'
import * as model from './model.test.ts'
import { Assembly } from './read.ts'

/** docs/format.md, wherever this was compiled to. */
function documentation(): string {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL('docs/format.md', folder))) {
    const above = new URL('..', folder)
    assert.notEqual(above.href, folder.href, 'there is no docs/format.md above this file')
    folder = above
  }
  return readFileSync(new URL('docs/format.md', folder), 'utf8')
}

const text = documentation()

/** The bytes of a fence whose lines are pairs of hex digits and, two blanks on, what they mean. */
function bytesOf(fence: string): string {
  const lines = fence.trim().split('\n')
  return lines
    .flatMap((line) => /^(?:[0-9a-f]{2} {1,2})+/.exec(`${line} `)?.[0].match(/[0-9a-f]{2}/g) ?? [])
    .join('')
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('the worked example of the documentation is what the code writes', () => {
  const fences = [...text.matchAll(/^```text\n(c1 [^`]*)```/gmu)].map(([, fence]) =>
    bytesOf(fence!),
  )
  const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }
  const zero = 1_795_386_521_833_470
  const getId = { service: 'id_service', method: 'get_id' }
  const id = '0aa7c1b2d3e4f506'
  const own = { status: 'ok', redelivered: false } as const
  const inner = new Log({ ...trace, callId: id, ...getId, host: 'vm-3', pid: 52 }, zero + 5_000)
  const block = inner.close({
    ...own,
    ...{ receiveUs: zero + 5_000, respondUs: zero + 5_870, inFlight: 1, calls: 0 },
  })
  const hello = { callId: '79b8ca640c90d8ee', service: 'greeting_service', method: 'hello' }
  const outer = new Log({ ...trace, ...hello, host: 'vm-2', pid: 41 }, zero + 2_723)
  outer.append(
    {
      ...{ id, ...getId, edge: 'call', seq: 0, attempt: 1, status: 'ok', error: undefined },
      ...{ requestUs: zero + 3_100, finishUs: zero + 6_900 },
    },
    block,
  )
  const whole = outer.close({
    ...own,
    ...{ receiveUs: zero + 2_723, respondUs: zero + 7_400, inFlight: 3, calls: 1 },
  })
  assert.deepEqual(fences, [hex(block), hex(whole)])
})

test('the limits and codes of the documentation are those of the code', () => {
  const say = (value: number) => value.toLocaleString('en')
  assert.ok(text.includes(`an inbox message | ${say(format.MAX_MESSAGE_BYTES)} bytes |`))
  assert.ok(text.includes(`in a message | ${say(format.MAX_DEPTH)} |`))
  assert.ok(text.includes(`in memory | ${say(format.MAX_CALLS)} |`))
  assert.ok(text.includes(`| a text | ${say(format.MAX_TEXT_BYTES)} bytes |`))
  assert.ok(text.includes(`at most ${format.MAX_RELAYS} |`))
  assert.ok(text.includes(`**block ${format.VERSION}, piece ${format.VERSION}, packet`))
  for (const list of [format.STATUSES, format.EDGES, format.REASONS]) {
    const told = list.map((name, code) => `${code} \`${name}\``).join(', ')
    assert.ok(text.replaceAll('\n', ' ').includes(told), told)
  }
})

/** A pipeline of 50 services from one of them on, in one process or in one each. */
function pipeline(first: number, samePid: boolean): model.ModelCall {
  const number = String(first).padStart(3, '0')
  return model.modelCall((first + 0x1000).toString(16).padStart(16, 'f'), {
    service: `pipeline-${number}`,
    method: `process-${number}x`,
    pid: samePid ? 7000 : 7000 + first * 7,
    waitUs: 300,
    workUs: (50 - first) * 1_500,
    calls: first === 49 ? [] : [pipeline(first + 1, samePid)],
  })
}

test('a call in a pipeline of 50 services takes as many bytes as the documentation says', (t) => {
  for (const samePid of [true, false]) {
    const root = pipeline(0, samePid)
    const block = model.blockOf(root, model.T0)
    const assembly = new Assembly(model.TRACE)
    assembly.addRoot(model.recordOf(root, model.T0, 0), model.ROOT_PLACE, block)
    const file = encodeTrace(assembly.finish())
    const bytes = block.length.toLocaleString('en')
    const perCall = (block.length / 50).toFixed(1)
    const processes = samePid ? 'one' : 'one for each service'
    t.diagnostic(
      `${bytes} bytes, ${perCall} a call; in a file ${file.length / 50} a call (processes: ${processes})`,
    )
    assert.ok(text.includes(`| ${processes} | ${bytes} | ${perCall} |`))
    assert.ok(block.length / 50 <= 40)
  }
})
