import { generateKeyPairSync, sign } from 'node:crypto'

const OIDS = { ecdsaWithSha256: '2a8648ce3d040302', subjectName: '550403', otherNames: '551d11' }
const DAY_MS = 86_400_000

/** A value as DER writes it: what it is, how long it is, and what it holds. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const bytes = body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length]
  const length = body.length < 0x80 ? [body.length] : bytes
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const list = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const time = (ms: number) =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/gu, '').slice(2, 14)}Z`))

/**
 * A certificate of this machine by its own key (X.509 v3, RFC 5280), for a day, and that key; PEM. Node
 * signs, but makes none, and not every machine has a program that does.
 */
export function selfSigned(): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = list(oid(OIDS.ecdsaWithSha256))
  const name = list(der(0x31, list(oid(OIDS.subjectName), der(0x0c, Buffer.from('collector')))))
  const reached = list(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  const told = list(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    list(time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, list(list(oid(OIDS.otherNames), der(0x04, reached)))),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', told, privateKey))
  const lines = list(told, algorithm, signature)
    .toString('base64')
    .match(/.{1,64}/gu)!
  return {
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
