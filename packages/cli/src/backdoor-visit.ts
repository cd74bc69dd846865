import { connect, type Socket } from 'node:net'
import { ACCEPTED, FAILED, REFUSED, WENT_WELL } from './backdoor-server.ts'
import { savedToken } from './backdoor-token.ts'
import type { ClewContext } from './command.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { Fault } from './fault.ts'

/** Milliseconds to wait for the other side's first word. */
const ANSWER_MS = 5000
/** Where a terminal does not say how wide it is. */
const USUAL_COLUMNS = 80
/** Ctrl-\: leaves whatever the other side does. */
const LEAVE = 0x1c

/** Connects stdin and stdout with the prompt of a running process until either ends. */
export async function visitBackdoor(
  { output, env }: ClewContext,
  port: number,
  given: string | undefined,
): Promise<ExitCode> {
  const token = given ?? env.CLEW_BACKDOOR_TOKEN ?? savedToken(port, env)
  if (token === undefined) throw noToken(port)
  const { stdin, stdout } = process
  const terminal = stdin.isTTY === true && stdout.isTTY === true
  const socket = await enter(
    port,
    `${token.trim()}${terminal ? ` ${output.width || USUAL_COLUMNS}` : ''}\n`,
  )
  if (terminal) {
    output.say(
      output.paintTalk.dim(
        'services  fire(SERVICE, METHOD, …)  running  config  exit leaves, the services run on',
      ),
    )
    stdin.setRawMode(true)
  }
  try {
    if (!terminal) return await scripted(socket)
    await joined(socket)
    return EXIT.ok
  } finally {
    if (terminal) stdin.setRawMode(false)
    stdin.pause()
  }
}

/** Sends stdin, prints what comes; the last byte says how it ended. */
async function scripted(socket: Socket): Promise<ExitCode> {
  process.stdin.pipe(socket)
  let last: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  for await (const chunk of socket) {
    process.stdout.write(last)
    const bytes = chunk as Buffer
    process.stdout.write(bytes.subarray(0, -1))
    last = bytes.subarray(-1)
  }
  const end = last.toString('latin1')
  if (end === WENT_WELL) return EXIT.ok
  if (end === FAILED) return EXIT.failed
  process.stdout.write(last)
  throw new Fault('the process went away within the script', {
    exit: EXIT.partial,
    code: 'disconnected',
  })
}

function joined(socket: Socket): Promise<void> {
  const { stdin, stdout } = process
  return new Promise((resolve) => {
    socket.on('data', (chunk) => stdout.write(chunk)).resume()
    socket.once('close', () => resolve())
    socket.on('error', () => socket.destroy())
    stdin.on('data', (chunk: Buffer) => {
      if (chunk.includes(LEAVE)) socket.destroy()
      else socket.write(chunk)
    })
    stdin.once('end', () => socket.end())
  })
}

/** Resolves when the token was accepted. */
function enter(port: number, greeting: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const fail = (fault: Fault) => {
      clearTimeout(timer)
      socket.destroy()
      reject(fault)
    }
    const timer = setTimeout(() => fail(silent(port)), ANSWER_MS)
    let heard = ''
    const take = (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      if (heard.startsWith(REFUSED)) fail(refused(port))
      else if (heard.startsWith(ACCEPTED)) {
        clearTimeout(timer)
        socket.off('data', take).pause()
        socket.removeAllListeners('error').removeAllListeners('close')
        const rest = heard.slice(ACCEPTED.length)
        if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'))
        resolve(socket)
      } else if (heard.length >= ACCEPTED.length) fail(silent(port))
    }
    socket.on('data', take)
    socket.once('error', () => fail(unreachable(port)))
    socket.once('close', () => fail(silent(port)))
    socket.once('connect', () => socket.write(greeting))
  })
}

const RUN = (port: number) => [`clew run services.ts --backdoor ${port}`]

function noToken(port: number): Fault {
  return new Fault(`this user has no token for a backdoor on port ${port}`, {
    exit: EXIT.auth,
    code: 'no_token',
    why: 'the process saves it for the user it runs as, and removes it when it ends',
    next: [...RUN(port), '--token TOKEN   where it runs as somebody else'],
  })
}

function refused(port: number): Fault {
  return new Fault(`the backdoor on port ${port} refuses us`, {
    exit: EXIT.auth,
    code: 'refused',
    why: 'the token is wrong, or too many are there already',
  })
}

function unreachable(port: number): Fault {
  return new Fault(`nobody listens on port ${port} of this machine`, {
    exit: EXIT.unreachable,
    code: 'disconnected',
    next: RUN(port),
  })
}

function silent(port: number): Fault {
  return new Fault(`what listens on port ${port} is no backdoor, or hangs`, {
    exit: EXIT.failed,
    code: 'no_backdoor',
  })
}
