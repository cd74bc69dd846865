import { BROKER_VARIABLE, brokerFlag } from '../broker-address.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, collectorUrl } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { ASCII_FLAG, jsonFlag } from '../flags.ts'

interface Flags extends Pick<CollectorFlags, 'collector'> {
  readonly broker: string | undefined
  readonly ascii: boolean
  readonly json: boolean
}

export const doctorCommand = defineCommand<Flags, readonly []>({
  help: {
    brief:
      'Tell whether everything between services and the collector is well, and what to do if not',
    usage: '[FLAGS]',
    examples: [
      { input: 'doctor', brief: 'the collector of this machine' },
      {
        input: 'doctor --collector https://clew.example --broker amqp://rabbitmq',
        brief: 'another one, and the broker beside it',
      },
      { input: 'doctor --json', brief: 'for a script; the exit code is 1 when something is bad' },
    ],
    description: [
      'What services were given to send is accounted for: sent = stored + rejected + dropped + under way, in calls, for every sender.',
    ],
  },
  parameters: {
    flags: {
      collector: COLLECTOR_FLAGS.collector,
      broker: brokerFlag,
      ascii: ASCII_FLAG,
      json: jsonFlag('what was found as one JSON value'),
    },
  },
  async run(context: ClewContext, flags): Promise<ExitCode> {
    const { examine } = await import('../doctor.ts')
    const url = collectorUrl(context, flags)
    const broker = flags.broker ?? context.env[BROKER_VARIABLE]
    const { findings, accounts } = await examine(context, url, broker)
    const bad = findings.some(({ state }) => state === 'bad')
    if (flags.json) context.output.printJson({ well: !bad, collector: url, findings, accounts })
    else {
      const { tellFindings } = await import('../doctor-page.ts')
      tellFindings(context, flags.ascii, { url, findings, accounts })
    }
    return bad ? EXIT.failed : EXIT.ok
  },
})
