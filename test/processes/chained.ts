// One service of a chain in a process of its own: asks the next, and may then wait for ever.
import { type Plugin, proxy, rabbitmq, rpc, run } from 'clew'
import { profile } from 'clew/profile'

const { CLEW_AMQP_URL = '', NAME = '', NEXT = '', MODE = '', TIMEOUT_MS = '60000' } = process.env

const never = () => new Promise<never>(() => {})

class Chained {
  static readonly name: string = NAME
  next = proxy<Chained>(NEXT === '' ? NAME : NEXT, { timeoutMs: Number(TIMEOUT_MS) })

  @rpc async pay(): Promise<string> {
    const answer = NEXT === '' ? 'booked' : await this.next.pay()
    process.stdout.write('worked\n')
    if (MODE === 'hang') await never()
    return answer
  }
}

/** What has been answered never reaches the broker. */
const losing: Plugin = {
  name: 'losing',
  callee: (next) => async (call) => {
    await next(call)
    return never()
  },
}

const broker = rabbitmq(CLEW_AMQP_URL)
const use = MODE === 'lose' ? [losing, profile()] : [profile()]
const running = await run(Chained, { broker, use })
process.stdout.write('ready\n')
await running.stopped
