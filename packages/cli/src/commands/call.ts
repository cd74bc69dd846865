import { writeFile } from 'node:fs/promises'
import type { CallOptions, Cluster, Delivery } from 'clew'
import type { Trace } from 'clew/trace'
import { brokerFlag, deliveryFlag, openForCalls } from '../broker-address.ts'
import { parseArgument, parseKwargs, parseTarget, type Target } from '../call-arguments.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { parseDuration } from '../duration.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type FaultDetails, fileFault, usageFault } from '../fault.ts'
import { harmless, harmlessJson } from '../harmless.ts'

interface Flags {
  readonly broker: string | undefined
  readonly timeout: number
  readonly kwargs: Readonly<Record<string, unknown>> | undefined
  readonly delivery: Delivery
  readonly trace: boolean
  readonly out: string | undefined
  readonly grant: string | undefined
  readonly json: boolean
}

export const callCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Call a method of a running service and print its result as JSON',
    usage: 'SERVICE.METHOD [ARGUMENT …] [FLAGS]',
    examples: [
      { input: 'call greeting_service.hello Ada', brief: 'one argument, a string' },
      {
        input: `call orders.find 17 '{"open":true}' --timeout 2s`,
        brief: 'arguments that are JSON are sent as such: a number and an object',
      },
      {
        input: 'call greeting_service.hello Ada --trace -o hello.trace.jsonl',
        brief: 'see the call tree that came home with the reply, and keep it',
      },
      {
        input: `call orders.get --kwargs '{"order_id":17}'`,
        brief: "Python's keyword arguments",
      },
      { input: 'call words.count -- --help', brief: 'behind -- everything is an argument' },
    ],
    description: [
      'Exit codes: 0 answered, 1 the method threw, 2 wrong arguments, 3 no such service or method, 4 login refused, 5 broker unreachable, 6 timeout.',
    ],
  },
  parameters: {
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        parse: String,
        placeholder: 'SERVICE.METHOD ARGUMENT',
        brief: 'what to call, then its arguments: JSON where they are JSON, else strings',
      },
    },
    flags: {
      broker: brokerFlag,
      timeout: {
        kind: 'parsed',
        parse: parseDuration,
        default: '30s',
        placeholder: 'TIME',
        brief: 'how long to wait for the reply, such as 500ms or 2s',
      },
      kwargs: {
        kind: 'parsed',
        parse: parseKwargs,
        optional: true,
        placeholder: 'JSON',
        brief: 'keyword arguments, an object',
      },
      delivery: deliveryFlag,
      trace: {
        kind: 'boolean',
        default: false,
        brief: 'print the call tree too',
        withNegated: false,
      },
      out: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'write the trace to a file',
      },
      grant: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'TOKEN',
        brief: 'a grant for services that require one (default: CLEW_GRANT)',
      },
      json: {
        kind: 'boolean',
        default: false,
        brief: 'result, error and tree as one JSON value',
        withNegated: false,
      },
    },
    aliases: { o: 'out' },
  },
  run: call,
})

async function call(
  context: ClewContext,
  flags: Flags,
  name: string = '',
  ...rest: readonly string[]
): Promise<ExitCode> {
  const target = parseTarget(name)
  const args = rest.map(parseArgument)
  // Nobody who waits 3 s for a call waits 10 for a broker; but a connection may take a second or two.
  const connecting = Math.max(2000, flags.timeout)
  const { broker, options: configured } = await openForCalls(flags.broker, context.env, connecting)
  const { connect } = await import('clew')
  const { callFault } = await import('../call-fault.ts')
  const abort = new AbortController()
  const onInterrupt = (): void => abort.abort()
  process.once('SIGINT', onInterrupt)
  try {
    const tracing = flags.trace || flags.out !== undefined
    const grant = flags.grant ?? (context.env.CLEW_GRANT || undefined)
    await using cluster = await connect(broker, {
      ...configured,
      delivery: flags.delivery,
      timeoutMs: flags.timeout,
      attachments: tracing,
      ...(grant !== undefined && { grant }),
    })
    const options = { signal: abort.signal, ...(flags.kwargs && { kwargs: flags.kwargs }) }
    const { result, trace } = await (tracing ? callTraced : callPlainly)(
      cluster,
      target,
      args,
      options,
    )
    await tell(context, flags, target, { result, trace })
    return EXIT.ok
  } catch (thrown) {
    const traced = await tellTraceOf(context, flags, thrown)
    throw callFault(thrown, { ...nextSteps(thrown, target, flags), ...traced })
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

interface Answer {
  readonly result: unknown
  readonly trace?: Trace | undefined
}

type Method = (...args: readonly unknown[]) => Promise<Answer>

async function callPlainly(
  cluster: Cluster,
  { service, method }: Target,
  args: readonly unknown[],
  options: CallOptions,
): Promise<Answer> {
  return { result: await cluster.invoke(service, method, args, options) }
}

async function callTraced(
  cluster: Cluster,
  { service, method }: Target,
  args: readonly unknown[],
  options: CallOptions,
): Promise<Answer> {
  const { traced } = await import('clew/profile')
  const proxy = cluster.proxy<Record<string, (...args: unknown[]) => unknown>>(service, options)
  const traces = traced(proxy) as unknown as Readonly<Record<string, Method | undefined>>
  const run = traces[method]
  // A proxy with a method of this name would be taken for a promise.
  if (run === undefined) throw usageFault(`a method named ${method} cannot be traced`)
  return run(...args)
}

async function tell(
  context: ClewContext,
  flags: Flags,
  { service, method }: Target,
  { result, trace }: Answer,
): Promise<void> {
  if (trace !== undefined) await keep(context, flags, trace)
  if (flags.json) {
    context.output.printJson({ service, method, result, trace: await told(flags, trace) })
    return
  }
  context.output.print(harmlessJson(result, 2))
  if (trace !== undefined && flags.trace) await print(context, trace)
}

/** What the trace of a failed call tells, where one came home. */
async function tellTraceOf(
  context: ClewContext,
  flags: Flags,
  thrown: unknown,
): Promise<Partial<FaultDetails>> {
  if (!flags.trace && flags.out === undefined) return {}
  const { traceOf } = await import('clew/profile')
  const trace = traceOf(thrown)
  if (trace === undefined) return {}
  await keep(context, flags, trace)
  if (!flags.json && flags.trace) await print(context, trace)
  const { callTree } = await import('clew/trace')
  const { firstFailure } = await import('../first-failure.ts')
  const first = firstFailure(callTree(trace))
  return { why: first?.sentence, facts: { firstFailure: first, trace: await told(flags, trace) } }
}

async function keep({ output }: ClewContext, { out }: Flags, trace: Trace): Promise<void> {
  if (out === undefined) return
  const { encodeTrace } = await import('clew/trace')
  try {
    await writeFile(out, encodeTrace(trace))
  } catch (error) {
    throw fileFault('write', out, error)
  }
  output.say(output.paintTalk.dim(`the trace is in ${harmless(out)}`))
}

async function print(context: ClewContext, trace: Trace): Promise<void> {
  const { callTree } = await import('clew/trace')
  const { printTree } = await import('../print-tree.ts')
  context.output.print('')
  printTree(context, callTree(trace))
}

async function told(
  { trace: wanted }: Flags,
  trace: Trace | undefined,
): Promise<object | undefined> {
  if (trace === undefined || !wanted) return undefined
  const { callTree } = await import('clew/trace')
  const { treeJson } = await import('../tree-json.ts')
  return treeJson(callTree(trace))
}

function nextSteps(
  thrown: unknown,
  { service, method }: Target,
  { broker, trace, out }: Flags,
): Partial<FaultDetails> {
  const { code } = thrown as { code?: unknown }
  const at = broker === undefined ? '' : ' --broker URL'
  const where =
    out === undefined
      ? `clew call ${service}.${method} …${at} --trace   to see where`
      : `clew show ${out}   to see where`
  switch (code) {
    case 'unknown_service':
      return { next: [`check the name, or start it: clew run services.ts${at}`] }
    case 'method_not_found':
      return { next: ['check the name: only methods with @rpc can be called'] }
    case 'timeout':
      if (String((thrown as Error).message).includes('the connection to ')) {
        return { next: ['start the broker again; the call may still have run'] }
      }
      return { next: [...(trace ? [] : [where]), '--timeout 60s   to wait longer'] }
    case 'remote':
      return trace ? {} : { next: [where] }
    default:
      return {}
  }
}
