import { connect as dial } from 'node:net'

/** One request on a connection of its own; everything that comes back, but for the date. */
export async function raw(port: number, request: string): Promise<string> {
  const socket = dial(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (bytes: Buffer) => void chunks.push(bytes))
  // A server that has read enough resets the connection; what it said before that counts.
  socket.on('error', () => {})
  const closed = Promise.withResolvers<void>()
  socket.on('close', () => closed.resolve())
  socket.write(request)
  await closed.promise
  return Buffer.concat(chunks)
    .toString('latin1')
    .replace(/^date: .*$/gim, 'date: -')
}

/** The bytes of a request. */
export const requestOf = (line: string, headers: Readonly<Record<string, string>>, body = '') =>
  [
    `${line} HTTP/1.1`,
    'host: shop.example',
    'connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : [`content-length: ${body.length}`]),
    '',
    body,
  ].join('\r\n')
