import assert from 'node:assert/strict'
import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { ConfigError } from '../../call/index.ts'
import { type GrantClaims, grantIssuer } from './issuer.ts'
import { generateGrantKey, importGrantKeys, readGrantKeys } from './keys.ts'
import { grantVerifier } from './verifier.ts'

const CLAIMS: GrantClaims = { subject: 'customer 7', audience: 'gateway', scope: 'own' }
const ASKED = { service: 'gateway' }

async function pair(algorithm: 'EdDSA' | 'HS256' = 'EdDSA') {
  const made = await generateGrantKey({ algorithm })
  const [key] = await importGrantKeys(made.private)
  const [verifying] = await importGrantKeys(made.public ?? made.private)
  return { key: key!, verifying: verifying!, made }
}

/** A token put together by hand, as a forger would. */
function byHand(header: object, claims: object | string, signed: (input: string) => Buffer | '') {
  const part = (value: object | string) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${signed(input).toString('base64url')}`
}

const seconds = () => Math.floor(Date.now() / 1000)
const rightClaims = () => {
  const iat = seconds()
  const names = { iss: 'clew', sub: 'x', aud: 'gateway', jti: `${Math.random()}` }
  return { ...names, scope: 'full', iat, exp: iat + 60 }
}

for (const algorithm of ['EdDSA', 'HS256'] as const) {
  test(`a grant by ${algorithm} is believed once, and says what it says`, async () => {
    const { key, verifying } = await pair(algorithm)
    const verifier = grantVerifier({ keys: [verifying] })
    const token = await grantIssuer({ key, issuer: 'shop' }).issue(CLAIMS)
    const { grant, refusal } = await verifier.verify(token, ASKED)
    assert.equal(refusal, undefined)
    assert.deepEqual(
      [grant?.issuer, grant?.subject, grant?.audience, grant?.scope, grant?.uses, grant?.keyId],
      ['shop', 'customer 7', ['gateway'], 'own', 1, key.kid],
    )
    assert.equal(grant!.expiresMs - grant!.issuedMs, 300_000)
    const again = await verifier.verify(token, ASKED)
    assert.equal(again.refusal?.code, 'replayed')
  })
}

test('uses are counted, and a request delivered again uses nothing', async () => {
  const { key, verifying } = await pair()
  const verifier = grantVerifier({ keys: [verifying] })
  const token = await grantIssuer({ key }).issue({ ...CLAIMS, uses: 2 })
  const used = async (id: string, again = false) =>
    (await verifier.verify(token, { ...ASKED, call: { id, again } })).refusal?.code
  assert.equal(await used('a'), undefined)
  assert.equal(await used('a', true), undefined)
  assert.equal(await used('b'), undefined)
  assert.equal(await used('b', true), undefined)
  assert.equal(await used('c'), 'replayed')
  // Who knows the id of the call but did not get it from the broker is nobody special.
  assert.equal(await used('a'), 'replayed')
  // The broker may deliver again what another process took the first time.
  assert.equal(await used('c', true), 'replayed')
})

test('grants that are over, not yet, for others or too long are refused with the reason', async () => {
  const { key, verifying } = await pair()
  let now = 1_800_000_000_000
  const clock = () => now
  const verifier = grantVerifier({ keys: [verifying], now: clock, issuer: 'clew' })
  const issuer = grantIssuer({ key, now: clock })
  const judged = async (claims: Partial<GrantClaims>, laterMs: number, from = issuer) => {
    const token = await from.issue({ ...CLAIMS, ...claims })
    now += laterMs
    const { refusal } = await verifier.verify(token, ASKED)
    now -= laterMs
    return `${refusal?.code}: ${refusal?.reason}`
  }
  assert.equal(await judged({}, 304_000), 'undefined: undefined')
  assert.equal(await judged({}, 305_000), 'expired: it expired 5 s ago')
  assert.equal(await judged({}, -5_000), 'undefined: undefined')
  assert.equal(await judged({}, -60_000), 'not_yet: it counts only in 60 s')
  assert.match(await judged({ audience: ['orders', 'ids'] }, 0), /^audience: .*orders.*"gateway"/)
  assert.match(await judged({ expiresSeconds: 301 }, 0), /^too_long: it lives 301 s/)
  const stranger = grantIssuer({ key, issuer: 'stranger', now: clock })
  assert.match(await judged({}, 0, stranger), /^issuer: .*stranger/)
})

test('a verifier with names of its own takes grants for any of them and for nothing else', async () => {
  const { key, verifying } = await pair()
  const verifier = grantVerifier({ keys: [verifying], audience: ['shop', 'edge'] })
  const issuer = grantIssuer({ key })
  const code = async (audience: string | string[]) =>
    (await verifier.verify(await issuer.issue({ ...CLAIMS, audience }), ASKED)).refusal?.code
  assert.equal(await code('edge'), undefined)
  assert.equal(await code(['other', 'shop']), undefined)
  assert.equal(await code('gateway'), 'audience')
})

test('keys change with an overlap, while the process runs too', async () => {
  const [old, young] = [await pair(), await pair('HS256')]
  let keys = [old.verifying]
  const verifier = grantVerifier({ keys: () => keys })
  const code = async (from: typeof old) =>
    (await verifier.verify(await grantIssuer({ key: from.key }).issue(CLAIMS), ASKED)).refusal?.code
  assert.deepEqual([await code(old), await code(young)], [undefined, 'unknown_key'])
  keys = [old.verifying, young.verifying]
  assert.deepEqual([await code(old), await code(young)], [undefined, undefined])
  const known = await grantIssuer({ key: old.key }).issue({ ...CLAIMS, uses: 9 })
  const again = async () => (await verifier.verify(known, ASKED)).refusal?.code
  assert.deepEqual([await again(), await again()], [undefined, undefined])
  keys = [{ ...young.verifying, kid: old.key.kid }]
  assert.equal(await again(), 'algorithm')
  keys = [{ ...(await pair()).verifying, kid: old.key.kid }]
  assert.equal(await again(), 'signature')
  keys = [young.verifying]
  assert.equal(await again(), 'unknown_key')
  assert.deepEqual([await code(old), await code(young)], ['unknown_key', undefined])
})

test('forged algorithms: none, and HMAC with the public key as the secret', async () => {
  const { verifying, made } = await pair()
  const { kid } = verifying
  const verifier = grantVerifier({ keys: [verifying] })
  const spki = verifying.verifying.export({ type: 'spki', format: 'der' })
  const pem = verifying.verifying.export({ type: 'spki', format: 'pem' })
  const secrets = [
    spki,
    pem,
    JSON.stringify(made.public),
    Buffer.from(made.public!.x!, 'base64url'),
    '',
  ]
  for (const alg of ['none', 'None', 'NONE', '']) {
    const unsigned = byHand({ alg, kid }, rightClaims(), () => '')
    assert.equal((await verifier.verify(unsigned, ASKED)).refusal?.code, 'algorithm', alg)
    const padded = byHand({ alg, kid }, rightClaims(), () => Buffer.from('x'))
    const code = (await verifier.verify(padded, ASKED)).refusal?.code
    assert.equal(code, 'algorithm', alg)
  }
  for (const secret of secrets) {
    const token = byHand({ alg: 'HS256', kid }, rightClaims(), (input) =>
      createHmac('sha256', secret).update(input).digest(),
    )
    assert.equal((await verifier.verify(token, ASKED)).refusal?.code, 'algorithm')
  }
  for (const header of [{ alg: 'RS256', kid }, { alg: 'ES256', kid }, { kid }, { alg: 7, kid }]) {
    const token = byHand(header, rightClaims(), () => Buffer.alloc(64))
    assert.equal((await verifier.verify(token, ASKED)).refusal?.code, 'algorithm')
  }
})

test("keys that come with the token, and other people's tokens, are not believed", async () => {
  const { verifying, key } = await pair()
  const { kid } = verifying
  const verifier = grantVerifier({ keys: [verifying] })
  const forger = generateKeyPairSync('ed25519')
  const jwk = forger.publicKey.export({ format: 'jwk' })
  const forged = (header: object) =>
    byHand(header, rightClaims(), (input) => sign(null, Buffer.from(input), forger.privateKey))
  const code = async (token: string) => (await verifier.verify(token, ASKED)).refusal?.code
  assert.equal(await code(forged({ alg: 'EdDSA', kid })), 'signature')
  assert.equal(await code(forged({ alg: 'EdDSA', kid, jwk })), 'signature')
  assert.equal(await code(forged({ alg: 'EdDSA', kid: 'mine', jwk })), 'unknown_key')
  assert.equal(
    await code(forged({ alg: 'EdDSA', jku: 'https://evil.example/keys' })),
    'unknown_key',
  )
  const signed = (header: object, claims: object | string) =>
    byHand(header, claims, (input) => sign(null, Buffer.from(input), key.signing!))
  const right = { alg: 'EdDSA', kid }
  assert.equal(await code(signed(right, rightClaims())), undefined)
  assert.equal(await code(signed({ ...right, alg: 'Ed25519' }, rightClaims())), undefined)
  assert.equal(await code(signed({ ...right, typ: 'at+jwt' }, rightClaims())), 'malformed')
  assert.equal(await code(signed({ ...right, crit: ['x'], x: 1 }, rightClaims())), 'malformed')
  for (const name of ['iss', 'sub', 'aud', 'scope', 'iat', 'exp', 'jti']) {
    assert.equal(await code(signed(right, { ...rightClaims(), [name]: undefined })), 'claims', name)
    for (const odd of [null, {}, [[]], true, -1, 'x'.repeat(300)]) {
      if (name === 'jti' && odd === true) continue
      assert.equal(await code(signed(right, { ...rightClaims(), [name]: odd })), 'claims', name)
    }
  }
  for (const uses of [0, -1, 1.5, '3', 1e9, null]) {
    assert.equal(await code(signed(right, { ...rightClaims(), uses })), 'claims')
  }
  for (const claims of ['null', '[]', '7', 'not json', '']) {
    assert.equal(await code(signed(right, claims)), 'malformed', claims)
  }
})

test('every flipped bit and every truncation of a grant is refused', async () => {
  const { key, verifying } = await pair()
  const token = await grantIssuer({ key }).issue({ ...CLAIMS, uses: 1_000_000 })
  const verifier = grantVerifier({ keys: [verifying] })
  for (let at = 0; at < token.length; at++) {
    for (let bit = 0; bit < 7; bit++) {
      const flipped = String.fromCharCode(token.charCodeAt(at) ^ (1 << bit))
      const bad = token.slice(0, at) + flipped + token.slice(at + 1)
      const { refusal } = await verifier.verify(bad, ASKED)
      assert.notEqual(refusal, undefined, `bit ${bit} of character ${at}`)
    }
    const { refusal } = await verifier.verify(token.slice(0, at), ASKED)
    assert.notEqual(refusal, undefined, `cut at ${at}`)
  }
  assert.equal((await verifier.verify(token, ASKED)).refusal, undefined)
})

test('whatever is sent, verifying neither rejects nor believes, and the reason fits into a log', async () => {
  const { verifying } = await pair()
  const verifier = grantVerifier({ keys: [verifying] })
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.base64String({ maxLength: 40 }), { maxLength: 5 }).map((parts) => parts.join('.')),
    fc.tuple(fc.object(), fc.object()).map(([h, c]) => byHand(h, c, () => Buffer.from('sig'))),
    fc.anything(),
  )
  await fc.assert(
    fc.asyncProperty(anything, async (token) => {
      const { grant, refusal } = await verifier.verify(token as string, ASKED)
      assert.equal(grant, undefined)
      assert.match(refusal!.reason, /^[\x20-\x7e…]{1,300}$/u)
    }),
    { numRuns: 500 },
  )
  const huge = await verifier.verify(`${'A'.repeat(10 * 1024 * 1024)}.e30.e30`, ASKED)
  assert.equal(huge.refusal?.code, 'too_large')
  const dots = await verifier.verify('.'.repeat(4096), ASKED)
  assert.equal(dots.refusal?.code, 'malformed')
})

test('when too many grants are remembered new ones are refused, until those have expired', async () => {
  const { key, verifying } = await pair('HS256')
  let now = 1_800_000_000_000
  const clock = () => now
  const verifier = grantVerifier({ keys: [verifying], maxRemembered: 3, now: clock })
  const issuer = grantIssuer({ key, now: clock })
  const tokens: string[] = []
  for (let count = 0; count < 4; count++) tokens.push(await issuer.issue({ ...CLAIMS, uses: 2 }))
  const codes = async () => {
    const judged = []
    for (const token of tokens) judged.push((await verifier.verify(token, ASKED)).refusal?.code)
    return judged
  }
  assert.deepEqual(await codes(), [undefined, undefined, undefined, 'full'])
  // Those that are known count on.
  assert.deepEqual(await codes(), [undefined, undefined, undefined, 'full'])
  assert.deepEqual(await codes(), ['replayed', 'replayed', 'replayed', 'full'])
  now += 400_000
  const { refusal } = await verifier.verify(await issuer.issue(CLAIMS), ASKED)
  assert.equal(refusal, undefined)
})

test('a visitor who stays uses a grant up', async () => {
  const { key, verifying } = await pair()
  let now = 1_800_000_000_000
  const verifier = grantVerifier({ keys: [verifying], now: () => now })
  const issuer = grantIssuer({ key, now: () => now })
  const { grant } = await verifier.verify(await issuer.issue({ ...CLAIMS, uses: 2 }), ASKED)
  assert.equal(verifier.again(grant!, ASKED), undefined)
  assert.equal(verifier.again(grant!, ASKED)?.code, 'replayed')
  const { grant: other } = await verifier.verify(await issuer.issue({ ...CLAIMS, uses: 9 }), ASKED)
  now += 310_000
  assert.equal(verifier.again(other!, ASKED)?.code, 'expired')
})

test('a source hands a grant out as often as it may be used and for half of its time', async () => {
  const { key, verifying } = await pair()
  let now = 1_800_000_000_000
  const issuer = grantIssuer({ key, now: () => now })
  const verifier = grantVerifier({ keys: [verifying], now: () => now })
  const source = issuer.source({ ...CLAIMS, uses: 3 })
  const next = () => source('gateway')
  const tokens = [await next(), await next(), await next(), await next()]
  assert.deepEqual(
    tokens.map((token) => tokens.indexOf(token)),
    [0, 0, 0, 3],
  )
  now += 151_000
  tokens.push(await next())
  assert.equal(tokens.indexOf(tokens[4]!), 4)
  for (const token of tokens) {
    assert.equal((await verifier.verify(token, ASKED)).refusal, undefined)
  }
})

test('a source makes grants for each service that is called, which count at no other', async () => {
  const { key, verifying } = await pair()
  const source = grantIssuer({ key }).source({ subject: 'orders', scope: 'full' })
  const [ids, again, bank] = [await source('ids'), await source('ids'), await source('bank')]
  assert.equal(ids, again)
  const verifier = grantVerifier({ keys: [verifying] })
  const code = async (token: string, service: string) =>
    (await verifier.verify(token, { service })).refusal?.code
  assert.deepEqual([await code(ids, 'ids'), await code(bank, 'bank')], [undefined, undefined])
  assert.equal(await code(ids, 'bank'), 'audience')
})

test('keys come from JSON, sets, PEM, secrets, files and the environment', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'clew-keys-'))
  context.after(() => rm(directory, { recursive: true }))
  const { made } = await pair()
  const pem = createPrivateKey({ key: { ...made.private }, format: 'jwk' }).export({
    type: 'pkcs8',
    format: 'pem',
  })
  const secret = 'correct horse battery staple, again'
  const file = join(directory, 'keys.json')
  await writeFile(file, JSON.stringify({ keys: [made.private, { kty: 'oct', k: 'A'.repeat(60) }] }))
  process.env.CLEW_TEST_GRANT_KEY = pem as string
  const fromFile = await readGrantKeys(file, 'env:CLEW_TEST_GRANT_KEY')
  assert.deepEqual(
    fromFile.map((key) => key.algorithm),
    ['EdDSA', 'HS256', 'EdDSA'],
  )
  // A thumbprint is the key's, in whatever form it comes.
  assert.equal(fromFile[0]!.kid, fromFile[2]!.kid)
  const [named] = await importGrantKeys({ secret, kid: 'mine' })
  const [bytes] = await importGrantKeys({ secret: Buffer.from(secret), kid: 'mine' })
  const token = await grantIssuer({ key: named! }).issue(CLAIMS)
  const { grant } = await grantVerifier({ keys: [bytes!] }).verify(token, ASKED)
  assert.equal(grant?.keyId, 'mine')
  for (const shown of [inspect(fromFile, { depth: 9 }), JSON.stringify(fromFile)]) {
    assert.ok(!shown.includes(made.private.d!), 'keys print without their material')
  }
})

test('keys that are none are refused in words that do not repeat them', async () => {
  const { made } = await pair()
  const other = await pair()
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const cases: readonly (readonly [string | Record<string, unknown>, RegExp])[] = [
    ['sesame, open: a bare secret', /neither JSON .* nor PEM.*\{ secret, kid \}/],
    ['{"kty":"OKP","d":"sesame"', /begins like JSON/],
    ['{}', /kty/],
    ['{"keys":[]}', /empty/],
    [{ kty: 'RSA', n: 'sesame', e: 'AQAB', kid: 'r' }, /kty RSA/],
    [{ ...made.private, alg: 'HS256' }, /signs by EdDSA, not by HS256/],
    [{ ...made.private, d: other.made.private.d }, /not of one pair/],
    [{ ...made.private, x: 'sesame' }, /no Ed25519 key/],
    [{ ...made.private, kid: 'a\nb' }, /kid/],
    [{ secret: 'sesame', kid: 'short' }, /32 bytes or more; this one has 6/],
    [{ kty: 'oct', k: 7, kid: 'odd' }, /32 bytes or more; this one has 0/],
    [rsa.export({ type: 'pkcs8', format: 'pem' }) as string, /type is rsa/],
    ['-----BEGIN PRIVATE KEY-----\nsesame\n-----END PRIVATE KEY-----', /damaged/],
    ['x'.repeat(100_000), /too long/],
  ]
  for (const [material, says] of cases) {
    await assert.rejects(importGrantKeys(material), (error: Error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, /sesame/)
      return true
    })
  }
  await assert.rejects(readGrantKeys('/nowhere/key.json'), /read from \/nowhere\/key\.json: ENOENT/)
  await assert.rejects(readGrantKeys('env:CLEW_NO_SUCH'), /env:CLEW_NO_SUCH: .*not set/)
  assert.throws(() => grantIssuer({ key: { ...other.verifying } }), /is a public one/)
  assert.throws(() => grantVerifier({ keys: [] }), /needs a key/)
  assert.throws(() => grantVerifier({ keys: [other.key, other.verifying] }), /one kid/)
  assert.throws(() => grantVerifier({ keys: [other.key], maxAgeSeconds: 0 }), /maxAgeSeconds/)
})

test('claims that no grant can have are refused where it is made', async () => {
  const { key } = await pair()
  const issuer = grantIssuer({ key })
  const odd: readonly (readonly [Partial<Record<keyof GrantClaims, unknown>>, RegExp])[] = [
    [{ subject: '' }, /subject/],
    [{ audience: [] }, /audience/],
    [{ audience: 'x'.repeat(257) }, /audience/],
    [{ scope: 'everything' }, /one of none, total, own, full/],
    [{ expiresSeconds: 0.5 }, /whole number of seconds/],
    [{ uses: 0 }, /uses/],
  ]
  for (const [claims, says] of odd) {
    await assert.rejects(issuer.issue({ ...CLAIMS, ...claims } as GrantClaims), says)
  }
})
