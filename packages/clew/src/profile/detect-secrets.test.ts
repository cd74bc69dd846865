import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  isSecretName,
  LONGEST_SEARCHED,
  type SecretKind,
  withoutDetected,
} from './detect-secrets.ts'

const JWT = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl'

/** Each with the part of it that must be gone. */
const SECRETS: readonly (readonly [SecretKind, string, string?])[] = [
  ['token', 'Bearer dGhpcy5pcy5zZWNyZXQ', 'dGhpcy5pcy5zZWNyZXQ'],
  ['token', 'authorization: bearer abc.def-123', 'abc.def-123'],
  ['token', 'Basic YWRhOnNlc2FtZQ==', 'YWRhOnNlc2FtZQ'],
  ['token', JWT],
  ['token', JWT.replace(/\.[^.]*$/u, '.')],
  ['token', `clew_0123456789abcdef_${'aB3'.repeat(14)}x`],
  ['key', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'],
  ['key', 'sk-proj-abcdefghijklmnop'],
  ['key', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a'],
  ['key', 'github_pat_11ABCDEFG0123456789_abcdef'],
  ['key', 'xoxb-123456789012-abcdefghij'],
  ['key', 'AKIAIOSFODNN7EXAMPLE'],
  ['key', 'AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY'],
  [
    'key',
    '-----BEGIN RSA PRIVATE KEY-----\nMIIEpA\nIBAAKC\n-----END RSA PRIVATE KEY-----',
    'MIIEpA',
  ],
  ['key', '-----BEGIN PRIVATE KEY-----\nMIIEpA', 'MIIEpA'],
  ['key', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  ['password', 'postgres://ada:sesame@db/shop', 'sesame'],
  ['password', 'amqp://guest:gu%65st@localhost', 'gu%65st'],
  ['password', 'password=sesame&x=1', 'sesame'],
  ['password', '{"user":"ada","password":"open sesame","x":1}', 'open sesame'],
  ['password', '{\\"password\\":\\"open sesame\\"}', 'open sesame'],
  ['password', "api_key: 'sesame'", 'sesame'],
  ['password', 'secret : sesame', 'sesame'],
  ['e-mail', 'ada@example.org'],
  ['e-mail', 'Ada.Lovelace+x@mail.example.co.uk'],
  ['e-mail', 'ada%40example.org'],
  ['e-mail', 'zoë@müller.example'],
  ['card', '4111111111111111'],
  ['card', '4111 1111 1111 1111'],
  ['card', '5500-0000-0000-0004'],
  ['card', '378282246310005'],
  ['card', '2024 4111 1111 1111 1111', '4111 1111'],
  ['card', '6011000990139424'],
]

test('known kinds of secrets are found, wherever in a text they stand', () => {
  for (const [kind, secret, part = secret] of SECRETS) {
    for (const around of ['', 'x=', ' ', '("', '\n', 'Grüße ', '😀']) {
      const told = withoutDetected(`${around}${secret}${around}`)
      assert.ok(!told.includes(part), `${secret} in ${JSON.stringify(told)}`)
      assert.ok(told.includes(`[redacted: ${kind}]`), `${kind}: ${told}`)
    }
  }
})

test('what only looks a little like a secret stays as it is', () => {
  const plain = [
    ...['4bf92f3577b34da6a3ce929d0e0e4736', '79b8ca64-0c90-d8ee-a3ce-929d0e0e4736', 'order-17'],
    ...[
      '1795386521833',
      '1795386521833470',
      '4111111111111112',
      '1234567890123456',
      '0.1234567890123',
    ],
    ...[
      'ada@',
      '@ada',
      'a @ b.c',
      'token',
      'password',
      'the bearer of this',
      'GET /orders/7?page=2',
    ],
    ...[
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '2026-11-26T01:40:00.000Z',
    ],
    ...[
      'https://example.org/a/b',
      'a_rather_long_name_of_a_method_that_has_no_digits',
      '1 2 3 4 5',
    ],
  ]
  for (const text of plain) assert.equal(withoutDetected(text), text)
})

test('any card number is found, in any grouping, and none of its digits stays', () => {
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 14, maxLength: 14 })
  const gap = fc.constantFrom('', ' ', '-')
  fc.assert(
    fc.property(digits, gap, fc.integer({ min: 1, max: 8 }), (middle, separator, size) => {
      const open = `4${middle.join('')}`
      const number = [...Array(10).keys()].map((check) => `${open}${check}`).find(luhn)!
      const shown = number.match(new RegExp(`.{1,${size}}`, 'g'))!.join(separator)
      assert.equal(withoutDetected(`no. ${shown}.`), 'no. [redacted: card].')
    }),
  )
})

function luhn(number: string): boolean {
  const sum = [...number].toReversed().reduce((all, digit, index) => {
    const times = Number(digit) * (index % 2 === 0 ? 1 : 2)
    return all + Math.floor(times / 10) + (times % 10)
  }, 0)
  return sum % 10 === 0
}

test('a text that was made to keep it busy does not', () => {
  const parts = [
    ...['eyJ-', 'a@', '1 ', '12345678901-', 'bearer ', 'x://a:', '-----BEGIN ', 'password='],
    ...['a', 'sk-', '"\\"', 'a.', 'pass ', '4'],
  ]
  // A pattern that tried all ways to read one of these would not be done before the test is ended.
  for (const part of parts) {
    const longest = part.repeat(LONGEST_SEARCHED).slice(0, LONGEST_SEARCHED)
    assert.ok(withoutDetected(longest).length <= 64 * LONGEST_SEARCHED)
  }
})

test('names that say secret', () => {
  const yes = [
    'password',
    'userPassword',
    'api_key',
    'apiKey',
    'cardPin',
    'x-auth-token',
    'CVC',
    'jwt',
  ]
  const no = ['order_id', 'author', 'passenger', 'tokenizer', 'pinned', 'key', 'id', 'session']
  for (const name of yes) assert.equal(isSecretName(name), true, name)
  for (const name of no) assert.equal(isSecretName(name), false, name)
})
