import { ConfigError, RemoteError, RpcError, type RpcErrorCode } from 'clew'
import { EXIT, type ExitCode } from './exit.ts'
import { Fault, type FaultDetails, toFault, usageFault } from './fault.ts'

const EXITS: Readonly<Record<RpcErrorCode, ExitCode>> = {
  unknown_service: EXIT.notFound,
  method_not_found: EXIT.notFound,
  bad_arguments: EXIT.usage,
  malformed_request: EXIT.usage,
  timeout: EXIT.timeout,
  cancelled: EXIT.interrupted,
  disconnected: EXIT.unreachable,
  overloaded: EXIT.failed,
  unserializable: EXIT.failed,
}

/** What helps where no broker answers. */
const REACHING: readonly string[] = [
  'docker run --rm -p 5672:5672 rabbitmq:4   to start one here',
  '--broker amqp://user:password@host:5672/vhost   for one elsewhere',
]

/**
 * Whatever `connect`, `run` or a call threw, told to a person.
 * @param details what the command knows beyond the error: what to try next
 */
export function callFault(thrown: unknown, details: Partial<FaultDetails> = {}): Fault {
  if (thrown instanceof ConfigError) return usageFault(thrown.message, { code: 'config' })
  if (thrown instanceof RemoteError) return remoteFault(thrown, details)
  if (!(thrown instanceof RpcError)) return toFault(thrown)
  const { code, rawMessage, service, method } = thrown
  if (code === 'disconnected' && isRefused(rawMessage)) {
    return new Fault(rawMessage, { exit: EXIT.auth, code: 'auth', cause: thrown })
  }
  return new Fault(sentence(thrown), {
    exit: EXITS[code],
    code,
    next: code === 'disconnected' ? REACHING : [],
    cause: thrown,
    ...details,
    facts: { ...(service !== '' && { service, method }), ...details.facts },
  })
}

function isRefused(message: string): boolean {
  return message.includes(' refuses the login ') || message.includes(' does not let user ')
}

function sentence({ code, service, method, rawMessage }: RpcError): string {
  switch (code) {
    case 'unknown_service':
      return `nobody serves ${service}: no process on this broker runs a service of that name`
    case 'method_not_found':
      return `service ${service} has no method ${method}`
    case 'bad_arguments':
      return `${service}.${method} does not take these arguments: ${rawMessage}`
    default:
      return rawMessage
  }
}

function remoteFault(error: RemoteError, details: Partial<FaultDetails>): Fault {
  const { service, method, remoteName, remotePath, remoteArgs, message, expected } = error
  const about = { service, method, name: remoteName, path: remotePath, args: remoteArgs, expected }
  return new Fault(
    `${service}.${method} threw ${remoteName}: ${message}${expected ? ' (an error it declares)' : ''}`,
    {
      exit: EXIT.failed,
      code: 'remote',
      cause: error,
      ...details,
      why: details.why ?? (remotePath === remoteName ? undefined : `its class is ${remotePath}`),
      facts: { ...about, ...details.facts },
    },
  )
}
