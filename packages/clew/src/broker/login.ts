import { encodeTable } from './field-table.ts'

/**
 * How RabbitMQ is told who connects: `PLAIN` and `AMQPLAIN` by user and password, `EXTERNAL` by the
 * certificate of the connection (needs `amqps:`, and `rabbitmq_auth_mechanism_ssl` at the broker).
 */
export type LoginMethod = 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL'

const FRAME_OVERHEAD = 8
const START = 0x000a_000a
const START_OK = 0x000a_000b
/** Type, channel and size of a frame; class and method. */
const TABLE_AT = 11

/** The client's answer to `connection.start` with another way to log in; any other frame as it is. */
export function withLogin(
  frame: Uint8Array,
  method: LoginMethod,
  { username, password }: { readonly username: string; readonly password: string },
): Uint8Array {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  if (method === 'PLAIN' || bytes.length < 15 || bytes.readUInt32BE(7) !== START_OK) return frame
  const properties = bytes.subarray(7, TABLE_AT + 4 + bytes.readUInt32BE(TABLE_AT))
  const response =
    method === 'AMQPLAIN' ? encodeTable({ LOGIN: username, PASSWORD: password }) : Buffer.alloc(0)
  const payload = Buffer.concat([
    properties,
    Buffer.from([method.length]),
    Buffer.from(method),
    sizeOf(response),
    response,
    // The locale.
    Buffer.from([0]),
  ])
  const head = Buffer.concat([bytes.subarray(0, 3), sizeOf(payload)])
  return Buffer.concat([head, payload, bytes.subarray(-1)], payload.length + FRAME_OVERHEAD)
}

/** What a broker that says `connection.start` has against the login method; undefined for nothing. */
export function loginRefusal(frame: Buffer, method: LoginMethod): string | undefined {
  if (frame.length < 15 || frame.readUInt32BE(7) !== START) return undefined
  // Behind two octets of version and the server's properties.
  const at = TABLE_AT + 2 + 4 + frame.readUInt32BE(TABLE_AT + 2)
  const known = frame.toString('latin1', at + 4, at + 4 + frame.readUInt32BE(at))
  if (known.split(' ').includes(method)) return undefined
  return `it knows no login by ${method}, only by ${known.slice(0, 100)}: see its option auth_mechanisms, and \`loginMethod\` here`
}

function sizeOf({ length }: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(length)
  return size
}
