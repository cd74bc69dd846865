import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Call, ContextValues, type Headers, newCallId } from '../call/index.ts'
import { shortId } from './call-id.ts'
import { relaysOf } from './relays.ts'
import { readTraceContext } from './trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

function callWith(headers: Headers, context: Headers = {}): Call {
  return {
    service: 's',
    method: 'm',
    args: [],
    kwargs: {},
    id: newCallId(),
    context,
    headers,
    timeoutMs: Number.POSITIVE_INFINITY,
    signal: undefined,
    redelivered: false,
    attachable: false,
    rejected: undefined,
    values: new ContextValues(),
    observer: undefined,
  }
}

describe('trace context', () => {
  it('is read from the header, and the unprefixed one wins', () => {
    const own = { traceparent: `00-${TRACE}-${PARENT}-00`, tracestate: 'other=1' }
    const relayed = { traceparent: `00-${'a'.repeat(32)}-${PARENT}-01` }
    assert.deepEqual(readTraceContext(callWith(own, relayed)), {
      traceId: TRACE,
      parentId: PARENT,
      flags: '00',
      state: 'other=1',
      unprefixed: true,
    })
    assert.equal(readTraceContext(callWith({}, relayed))?.unprefixed, false)
  })

  it('counts as none when it is malformed, and takes later versions of the standard', () => {
    const refused = [
      '',
      TRACE,
      `00-${'0'.repeat(32)}-${PARENT}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `ff-${TRACE}-${PARENT}-01`,
      `00-${TRACE.toUpperCase()}-${PARENT}-01`,
      `00-${TRACE}-${PARENT}-01${'-x'.repeat(200)}`,
    ]
    for (const traceparent of refused) {
      assert.equal(readTraceContext(callWith({ traceparent })), undefined, traceparent)
    }
    assert.equal(readTraceContext(callWith({ traceparent: 7 })), undefined)
    const later = `cc-${TRACE}-${PARENT}-01-more`
    assert.equal(readTraceContext(callWith({ traceparent: later }))?.traceId, TRACE)
  })
})

describe('call ids in a trace', () => {
  it('are the last 8 bytes of a UUID, in whatever case, and a hash of anything else', () => {
    assert.equal(shortId('01234567-89AB-4def-8123-456789abcdef'), '8123456789abcdef')
    for (const id of ['', 'x', 'a.b.c', '☂'.repeat(100)]) {
      assert.match(shortId(id), /^[0-9a-f]{16}$/)
      assert.notEqual(shortId(id), '0'.repeat(16))
    }
    assert.notEqual(shortId('call-1'), shortId('call-2'))
  })
})

describe('relays', () => {
  const id = (service: string, version: number) =>
    `${service}.m.00000000-0000-${version}000-8000-000000000000`

  it('are the calls behind the last of ours', () => {
    const call_id_stack = [
      id('old', 4),
      id('ours', 8),
      id('first', 4),
      id('second', 4),
      id('third', 4),
    ]
    const services = relaysOf(callWith({}, { call_id_stack })).map(({ service }) => service)
    assert.deepEqual(services, ['first', 'second', 'third'])
  })

  it('are none where the stack is not one', () => {
    for (const call_id_stack of ['x', ['not an id'], [7], [id('ours', 8)], [id('python', 4)]]) {
      assert.deepEqual(relaysOf(callWith({}, { call_id_stack })), [])
    }
    assert.deepEqual(relaysOf(callWith({})), [])
  })
})
