// A handler of events in a process of its own, for tests that end processes. Says what it has handled.
import { event, rabbitmq, run } from 'clew'

const { CLEW_AMQP_URL = '', NAME = '', SOURCE = '' } = process.env

class Listener {
  static readonly name: string = NAME

  @event(SOURCE, 'created') async handle({ id }: { id: number }): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.stdout.write(`handled ${id}\n`)
  }
}

const running = await run(Listener, { broker: rabbitmq(CLEW_AMQP_URL), maxWorkers: 4 })
process.stdout.write('ready\n')
await running.stopped
process.stdout.write('stopped\n')
