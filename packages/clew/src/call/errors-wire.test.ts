import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RemoteError, RpcError, type RpcErrorCode } from './errors.ts'
import { ErrorRegistry, errorToOutside } from './errors-wire.ts'

const CALL = { service: 'gateway_secret', method: 'GET /secret', callId: '7'.repeat(36) }
const NESTED = { service: 'orders_secret', method: 'find_secret', callId: '8'.repeat(36) }
const NONE = new ErrorRegistry()

test('people outside read what was wrong with their request, as Nameko says it', () => {
  const wrong = new RpcError('bad_arguments', "find() missing 'id'", CALL)
  assert.deepEqual(errorToOutside(wrong, CALL, NONE), {
    exc_type: 'IncorrectSignature',
    exc_path: 'nameko.exceptions.IncorrectSignature',
    exc_args: ["find() missing 'id'"],
    value: "find() missing 'id'",
  })
})

test('people outside read what the method itself threw, under no service name', () => {
  class NotFound extends Error {}
  const known = new ErrorRegistry({ 'shop.errors.NotFound': NotFound })
  const told = { exc_type: 'NotFound', exc_args: ['no order 7'], value: 'no order 7' }
  const error = new NotFound('no order 7')
  assert.deepEqual(errorToOutside(error, CALL, NONE), { ...told, exc_path: 'NotFound' })
  assert.deepEqual(errorToOutside(error, CALL, known), {
    ...told,
    exc_path: 'shop.errors.NotFound',
  })
})

test('an error of a service behind keeps its class and text, as a Python service passes it on', () => {
  const remote = { name: 'NotFound', path: 'orders_secret.NotFound', args: [7], message: 'no 7' }
  assert.deepEqual(errorToOutside(new RemoteError(remote, NESTED), CALL, NONE), {
    exc_type: 'RemoteError',
    exc_path: 'nameko.exceptions.RemoteError',
    exc_args: ['NotFound', 'no 7'],
    value: 'NotFound no 7',
  })
})

test('what goes wrong between services is told by its kind alone', () => {
  const codes: readonly RpcErrorCode[] = [
    'unknown_service',
    'method_not_found',
    'bad_arguments',
    'malformed_request',
    'timeout',
    'cancelled',
    'disconnected',
    'overloaded',
    'unserializable',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...codes), fc.boolean(), (code, passedOn) => {
      const text = 'orders_secret.find_secret on host_secret went wrong'
      const error = passedOn
        ? new RemoteError({ name: 'X', path: pathOf(code), args: [text], message: text }, NESTED)
        : new RpcError(code, text, NESTED)
      const told = errorToOutside(error, CALL, NONE)
      assert.equal(told.exc_path, pathOf(code))
      assert.doesNotMatch(JSON.stringify(told), /secret/)
    }),
  )
})

test('what cannot be read is told as that', () => {
  const odd = Object.create(Error.prototype, {
    constructor: {
      get() {
        throw new Error('secret')
      },
    },
  }) as Error
  assert.equal(errorToOutside(odd, CALL, NONE).value, 'the error could not be read')
})

function pathOf(code: RpcErrorCode): string {
  const nested = errorToOutside(new RpcError(code, '', NESTED), CALL, NONE)
  assert.match(nested.exc_path, /^clew\.errors\.[A-Z]/)
  return nested.exc_path
}
