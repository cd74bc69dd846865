import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError } from '../call/index.ts'
import { decodePath, encodePath } from './path.ts'
import { parseRoute } from './route.ts'
import { Router } from './router.ts'

/** What werkzeug said: a route's number and values, a redirect, methods, or nothing. */
type Said = readonly [number, readonly (string | number)[]] | string | readonly string[] | null

interface Routes {
  readonly routes: readonly (readonly [method: string, route: string])[]
  readonly cases: readonly (readonly [method: string, path: string, said: Said])[]
}

const file = new URL('../../../../test/http/fixtures/werkzeug-routes.json', import.meta.url)
const from = process.env.CLEW_WERKZEUG_ROUTES ?? file

test('random routes fit random paths as they do in werkzeug', () => {
  const { sets } = JSON.parse(readFileSync(from, 'utf8')) as { sets: readonly Routes[] }
  for (const { routes, cases } of sets) {
    const router = new Router<number>()
    try {
      for (const [index, [method, text]] of routes.entries()) {
        router.add(parseRoute(text), [method], index, String)
      }
    } catch (error) {
      // Two routes for the same requests: werkzeug takes the first one, we take neither.
      assert.match((error as ConfigError).message, /would answer the same requests/)
      continue
    }
    for (const [method, path, said] of cases) {
      const match = router.match(path, method)
      if (match === undefined && typeof said === 'string') {
        // Werkzeug redirects from /1// to /1/ also where it then finds nothing, for 1 is too small.
        assert.equal(router.match(decodePath(said), method), undefined)
        continue
      }
      assert.deepEqual(inTheirWords(match), said, `${method} ${path} of ${JSON.stringify(routes)}`)
    }
  }
})

function inTheirWords(match: ReturnType<Router<number>['match']>): Said {
  if (match === undefined) return null
  if ('redirect' in match) return encodePath(match.redirect)
  return 'allowed' in match ? [...match.allowed].sort() : [match.target, match.values]
}

test('whatever a path holds, it is decoded and matched without an error', () => {
  const router = new Router<string>()
  for (const text of ['/<a>/<int:b>', '/<path:rest>', '/<path:rest>/end', '/x/<float:y>/']) {
    router.add(parseRoute(text), ['GET'], text, String)
  }
  const pieces = fc.constantFrom('/', '%', '%2', '%2F', '%ff', '%00', 'é', '.', '1', 'end', '\n')
  const paths = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 12 })
  fc.assert(
    fc.property(paths, (parts) => {
      const path = decodePath(`/${parts.join('')}`)
      const match = router.match(path, 'GET')
      if (match !== undefined && 'redirect' in match) {
        // Whoever follows arrives, in one step.
        const next = router.match(decodePath(encodePath(match.redirect)), 'GET')
        assert.ok(next !== undefined && 'target' in next)
      }
    }),
  )
})

test('text comes through a path as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(decodePath(encodePath(text)), text.toWellFormed())
      assert.equal(decodePath(encodeURIComponent(text)), text.toWellFormed())
    }),
  )
})

test('any text is a route or a ConfigError', () => {
  const pieces = fc.constantFrom(
    '/',
    '<',
    '>',
    ':',
    '(',
    ')',
    ',',
    '=',
    'int',
    'any',
    'a',
    '"',
    "'",
    '1',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      try {
        const { converters, shown } = parseRoute(`/${parts.join('')}`)
        assert.equal(shown.match(/\{\w+\}/g)?.length ?? 0, converters.length)
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('an integer that JavaScript cannot hold is not found', () => {
  const router = new Router<string>()
  router.add(parseRoute('/<int:id>'), ['GET'], '', String)
  assert.deepEqual(router.match('/9007199254740991', 'GET'), { target: '', values: [2 ** 53 - 1] })
  assert.equal(router.match('/9007199254740993', 'GET'), undefined)
})

test('a path that would take hours to match is not found at once', () => {
  const router = new Router<string>()
  for (const text of ['/<a>-<b>-<c>-<d>.txt', '/x/<path:a>/<path:b>/<path:c>/end']) {
    router.add(parseRoute(text), ['GET'], text, String)
  }
  assert.equal(router.match(`/${'-'.repeat(16_000)}`, 'GET'), undefined)
  assert.equal(router.match(`/x/${'a/'.repeat(8000)}`, 'GET'), undefined)
  const values = ['a', 'b', 'c', 'd']
  assert.deepEqual(router.match('/a-b-c-d.txt', 'GET'), { target: '/<a>-<b>-<c>-<d>.txt', values })
})
