// A service in a process of its own, for tests that end processes. Says what happens on stdout.
import { rabbitmq, rpc, run, workerContext } from 'clew'
import { profile } from 'clew/profile'

const { CLEW_AMQP_URL = '', NAME = '', MODE = 'answer' } = process.env

class Victim {
  static readonly name: string = NAME
  worker = workerContext()

  @rpc async work(value: number): Promise<{ value: number; redelivered: boolean }> {
    process.stdout.write('received\n')
    if (MODE === 'hang') await new Promise(() => {})
    if (MODE === 'slow') await new Promise((resolve) => setTimeout(resolve, 300))
    return { value, redelivered: this.worker.call.redelivered }
  }
}

const running = await run(Victim, {
  broker: rabbitmq(CLEW_AMQP_URL),
  use: [profile()],
  maxWorkers: 4,
})
process.stdout.write('ready\n')
await running.stopped
process.stdout.write('stopped\n')
