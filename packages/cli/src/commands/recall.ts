import { brokerFlag } from '../broker-address.ts'
import { COLLECTOR_FLAGS, COLLECTOR_VARIABLE, parseUrl } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { parseDuration } from '../duration.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { ASCII_FLAG, jsonFlag } from '../flags.ts'

interface Flags {
  readonly collector: string | undefined
  readonly broker: string | undefined
  readonly wait: number
  readonly out: string | undefined
  readonly full: boolean
  readonly ascii: boolean
  readonly json: boolean
}

export const recallCommand = defineCommand<Flags, readonly [string]>({
  help: {
    brief: 'Ask all services what they know of a trace: where a call hangs, what a crash left',
    usage: 'ID [--broker URL | --collector URL] [FLAGS]',
    examples: [
      {
        input: 'recall 4bf92f3577b34da6a3ce929d0e0e4736 --broker amqp://localhost',
        brief: 'ask the services themselves, and print the tree they tell of',
      },
      {
        input: 'recall 4bf92f35 --collector http://127.0.0.1:7117',
        brief: 'have a collector ask them and keep it, and print the whole tree',
      },
      {
        input: 'recall 4bf92f3577b34da6a3ce929d0e0e4736 -o hung.trace.jsonl',
        brief: 'to a file, for every other command',
      },
    ],
    description: [
      'Every profiled process remembers what it finished of late, and knows what it is at. A process that was killed cannot be asked: what it had called can.',
    ],
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ parse: parseId, placeholder: 'ID', brief: 'the id of the trace' }],
    },
    flags: {
      collector: {
        ...COLLECTOR_FLAGS.collector,
        brief: `have a collector ask the services of its broker (or $${COLLECTOR_VARIABLE})`,
      },
      broker: brokerFlag,
      wait: {
        kind: 'parsed',
        parse: parseDuration,
        default: '1s',
        placeholder: 'TIME',
        brief: 'with a broker: how long to wait for answers at the most',
      },
      out: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'write the trace to this file as well',
      },
      full: {
        kind: 'boolean',
        default: false,
        brief: 'every call on a line of its own, nothing merged or folded',
        withNegated: false,
      },
      ascii: ASCII_FLAG,
      json: jsonFlag('the tree as one JSON value'),
    },
    aliases: { o: 'out' },
  },
  run: recall,
})

async function recall(context: ClewContext, flags: Flags, id: string): Promise<ExitCode> {
  const { output, env } = context
  if (flags.collector !== undefined && flags.broker !== undefined) {
    throw usageFault('a collector asks the services of its own broker', {
      next: ['clew recall ID --collector URL', 'clew recall ID --broker URL'],
    })
  }
  const named =
    flags.broker === undefined ? (flags.collector ?? env[COLLECTOR_VARIABLE]) : undefined
  const { recallByBroker, recallByCollector } = await import('../recall-trace.ts')
  const { trace, answers } =
    named === undefined
      ? await recallByBroker(context, id, flags)
      : await recallByCollector(context, parseUrl(named), id)
  const { callTree, encodeTrace } = await import('clew/trace')
  if (flags.out !== undefined) {
    const { WriteTarget } = await import('../write-target.ts')
    const target = new WriteTarget(flags.out)
    target.write(encodeTrace(trace))
    target.finish()
  }
  const tree = callTree(trace)
  if (flags.json) {
    const { treeJson } = await import('../tree-json.ts')
    output.printJson({ trace: treeJson(tree), answers })
    return EXIT.ok
  }
  const { printTree } = await import('../print-tree.ts')
  printTree(context, tree, { full: flags.full, ...(flags.ascii && { ascii: true }) })
  const told = answers === 1 ? '1 answer' : `${answers} answers`
  output.say(output.paintTalk.dim(`${told} from services that still know of it`))
  return EXIT.ok
}

function parseId(text: string): string {
  if (/^[\da-f]{4,32}$/iu.test(text)) return text.toLowerCase()
  throw usageFault(`${JSON.stringify(text)} is no trace id: that is 32 hex digits`)
}
