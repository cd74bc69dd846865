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

/**
 * Whatever `connect`, `run` or a call threw, told to a person.
 * @param details what the command knows beyond the error: what to try next
 */
export function callFault(thrown: unknown, details: Partial<FaultDetails> = {}): Fault {
  if (thrown instanceof ConfigError) return usageFault(thrown.message, { code: 'config' })
  if (thrown instanceof RemoteError) return remoteFault(thrown, details)
  if (!(thrown instanceof RpcError)) return toFault(thrown)
  if (thrown.code === 'disconnected' && isRefused(thrown.rawMessage)) {
    return new Fault(thrown.rawMessage, { exit: EXIT.auth, code: 'auth', cause: thrown })
  }
  const { service, method } = thrown
  const told = {
    exit: EXITS[thrown.code],
    code: thrown.code,
    facts: service === '' ? {} : { service, method },
    cause: thrown,
  }
  return new Fault(sentence(thrown), { ...told, ...details })
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
  const { service, method, remoteName, remotePath, remoteArgs, message } = error
  const remote = { service, method, name: remoteName, path: remotePath, args: remoteArgs }
  const expected = error.expected ? ' (an error it declares)' : ''
  const path = remotePath === '' || remotePath === remoteName ? undefined : remotePath
  return new Fault(`${service}.${method} threw ${remoteName}: ${message}${expected}`, {
    exit: EXIT.failed,
    code: 'remote',
    why: path === undefined ? undefined : `its class is ${path}`,
    facts: { ...remote, expected: error.expected },
    cause: error,
    ...details,
  })
}
