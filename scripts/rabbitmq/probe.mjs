// Says whether a RabbitMQ answers: opens an AMQP 0-9-1 connection as a client would, up to the open
// vhost, and closes it. A port that accepts is not enough: while RabbitMQ boots, Docker's proxy
// accepts already, and a wrong password or vhost shows only after the handshake.
import net from 'node:net'
import tls from 'node:tls'

const FRAME_END = 0xce
const START = method(10, 10)
const START_OK = method(10, 11)
const TUNE = method(10, 30)
const TUNE_OK = method(10, 31)
const OPEN = method(10, 40)
const OPEN_OK = method(10, 41)
const CLOSE = method(10, 50)
const CLOSE_OK = method(10, 51)

/**
 * Resolves when the broker lets this address's user open its vhost.
 * @param {string} url `amqp://user:password@host:port/vhost`, or `amqps:`
 * @throws Error that says what is wrong, without the password
 */
export async function probe(url, { timeoutMs = 5000 } = {}) {
  const address = parse(url)
  const socket = address.secure
    ? tls.connect({ host: address.host, port: address.port, servername: address.host })
    : net.connect({ host: address.host, port: address.port })
  try {
    await handshake(socket, address, timeoutMs)
  } finally {
    socket.destroy()
  }
}

function parse(url) {
  let parsed
  try {
    parsed = new URL(url)
  } catch {
    throw new Error('not an address; it should look like amqp://user:password@host:5672/vhost')
  }
  if (parsed.protocol !== 'amqp:' && parsed.protocol !== 'amqps:') {
    throw new Error(`the address begins with "${parsed.protocol}", it should with amqp: or amqps:`)
  }
  const secure = parsed.protocol === 'amqps:'
  return {
    secure,
    host: parsed.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: parsed.port === '' ? (secure ? 5671 : 5672) : Number(parsed.port),
    user: decodeURIComponent(parsed.username) || 'guest',
    password: decodeURIComponent(parsed.password) || 'guest',
    vhost: parsed.pathname.length > 1 ? decodeURIComponent(parsed.pathname.slice(1)) : '/',
  }
}

function handshake(socket, address, timeoutMs) {
  return new Promise((resolve, reject) => {
    const fail = (reason) => reject(new Error(reason))
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs)
    let pending = Buffer.alloc(0)
    socket.setNoDelay(true)
    socket.once(address.secure ? 'secureConnect' : 'connect', () =>
      socket.write('AMQP\0\0\x09\x01'),
    )
    socket.on('error', (error) => fail(error.message))
    socket.on('close', () => {
      clearTimeout(timer)
      fail('it closed the connection during the handshake; is it an AMQP 0-9-1 broker?')
    })
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      if (pending.length >= 4 && pending.toString('latin1', 0, 4) === 'AMQP') {
        fail('it does not speak AMQP 0-9-1')
        return
      }
      for (let frame = take(); frame !== undefined; frame = take()) answer(frame)
    })

    function take() {
      if (pending.length < 7) return undefined
      const end = 7 + pending.readUInt32BE(3)
      if (pending.length <= end) return undefined
      const frame = { type: pending[0], payload: pending.subarray(7, end) }
      pending = pending.subarray(end + 1)
      return frame
    }

    function answer({ type, payload }) {
      if (type !== 1) return
      const kind = payload.readUInt32BE(0)
      if (kind === START) {
        const response = `\0${address.user}\0${address.password}`
        send(START_OK, CAPABILITIES, short('PLAIN'), long(Buffer.from(response)), short('en_US'))
      } else if (kind === TUNE) {
        const tuned = Buffer.from(payload.subarray(4, 12))
        tuned.writeUInt16BE(0, 6)
        send(TUNE_OK, tuned)
        send(OPEN, short(address.vhost), short(''), Buffer.from([0]))
      } else if (kind === OPEN_OK) {
        send(CLOSE, Buffer.from([0, 200]), short('bye'), Buffer.alloc(4))
      } else if (kind === CLOSE_OK) {
        resolve()
      } else if (kind === CLOSE) {
        const text = payload.toString('utf8', 7, 7 + payload[6])
        fail(`it refused us: ${payload.readUInt16BE(4)} ${text}`)
      }
    }

    function send(kind, ...parts) {
      const head = Buffer.alloc(11)
      const payload = Buffer.concat(parts)
      head[0] = 1
      head.writeUInt32BE(4 + payload.length, 3)
      head.writeUInt32BE(kind, 7)
      socket.write(Buffer.concat([head, payload, Buffer.from([FRAME_END])]))
    }
  })
}

// Without this capability a broker just hangs up on a wrong password, and we could not say why.
const CAPABILITIES = long(
  Buffer.concat([
    short('capabilities'),
    Buffer.from('F'),
    long(Buffer.concat([short('authentication_failure_close'), Buffer.from('t\x01')])),
  ]),
)

function method(classId, methodId) {
  return classId * 0x10000 + methodId
}

function short(text) {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function long(bytes) {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
