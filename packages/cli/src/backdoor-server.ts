import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { isToken, saveToken } from './backdoor-token.ts'
import { type Bindings, readEvalPrint, runScript, scriptError } from './console.ts'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'
import { harmlessLines } from './harmless.ts'

/** Visitors at a time. */
const MOST_VISITORS = 4
/** Milliseconds and characters in which a visitor must have shown a token. */
const HANDSHAKE_MS = 5000
const LONGEST_HANDSHAKE = 512
/** Milliseconds that who was refused has to read it. */
const GOODBYE_MS = 500

/** What a visitor says first: `TOKEN`, and the width of a terminal where there is one. */
export interface Greeting {
  readonly token: string
  readonly columns: number | undefined
}

export const ACCEPTED = 'ok\n'
export const REFUSED = 'refused\n'
/** The last byte behind a script's output: how it ended. */
export const WENT_WELL = '\0'
export const FAILED = '\x01'

export interface Backdoor {
  readonly port: number
  /** Where the token is kept. */
  readonly tokenFile: string
  /** Sends visitors away and takes no more. */
  close(): Promise<void>
}

/**
 * Lets this user look into the running process: a JavaScript prompt on a port of this machine alone, for
 * whoever can read the token's file.
 * @param port 0 for any that is free
 * @throws Fault when the port is taken
 */
export async function openBackdoor(
  port: number,
  bindings: Bindings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Backdoor> {
  const visitors = new Set<Socket>()
  let token = ''
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Somebody who went away is no failure of the services.
    socket.on('error', () => socket.destroy())
    if (visitors.size >= MOST_VISITORS) {
      sendAway(socket)
      return
    }
    visitors.add(socket)
    socket.once('close', () => visitors.delete(socket))
    void receive(socket, (given) => token !== '' && isToken(given, token), bindings)
  })
  server.maxConnections = MOST_VISITORS + 1
  const bound = await listen(server, port)
  let file: string
  try {
    ;({ token, file } = saveToken(bound, env))
  } catch (error) {
    server.close()
    throw error
  }
  return {
    port: bound,
    tokenFile: file,
    async close() {
      server.close()
      for (const socket of visitors) socket.destroy()
      await rm(file, { force: true }).catch(() => {})
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'something else listens there'
          : error.code === 'EACCES'
            ? 'this user may not listen there'
            : error.message
      reject(
        new Fault(`the backdoor cannot listen on port ${port}`, {
          exit: EXIT.failed,
          code: 'port',
          why,
          next: ['--backdoor 0   for any port that is free'],
        }),
      )
    })
    server.listen({ port, host: '127.0.0.1' }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

async function receive(
  socket: Socket,
  isRight: (token: string) => boolean,
  bindings: Bindings,
): Promise<void> {
  const greeting = await greetingOf(socket)
  if (greeting === undefined || !isRight(greeting.token)) {
    sendAway(socket)
    return
  }
  socket.write(ACCEPTED)
  const { columns } = greeting
  if (columns === undefined) {
    socket.end(await scriptFrom(socket, bindings))
    return
  }
  Object.assign(socket, { columns })
  const options = { input: socket, output: socket, prompt: 'clew> ', bindings }
  await readEvalPrint({ ...options, terminal: true, colors: true })
  socket.end()
}

/** Who was refused and stays would keep the place of somebody who may enter. */
function sendAway(socket: Socket): void {
  socket.resume().end(REFUSED)
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS)
  socket.once('close', () => clearTimeout(timer))
}

async function scriptFrom(socket: Socket, bindings: Bindings): Promise<string> {
  try {
    await runScript(socket, bindings, (value) => socket.write(`${harmlessLines(inspect(value))}\n`))
    return WENT_WELL
  } catch (error) {
    const { what, where } = scriptError(error)
    return `${harmlessLines(`Uncaught ${what}\n${where === '' ? '' : `${where}\n`}`)}${FAILED}`
  }
}

/** The first line; undefined when it does not come, or is none. */
function greetingOf(socket: Socket): Promise<Greeting | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const timer = setTimeout(() => settle(undefined), HANDSHAKE_MS)
    const settle = (greeting: Greeting | undefined) => {
      clearTimeout(timer)
      socket.off('data', take).off('end', gone).off('close', gone)
      socket.pause()
      resolve(greeting)
    }
    const gone = () => settle(undefined)
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\n')
      if (end < 0) {
        if (text.length > LONGEST_HANDSHAKE) settle(undefined)
        return
      }
      const [token = '', width] = text.slice(0, end).trim().split(' ')
      const columns = Number(width)
      settle({ token, columns: columns >= 1 && columns <= 10_000 ? columns : undefined })
      // Only now that nobody listens: what is put back would come again.
      const rest = text.slice(end + 1)
      if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'))
    }
    socket.on('data', take).on('end', gone).on('close', gone)
  })
}
