// A service with several kinds of entrypoints in a process of its own, for tests that end processes.
import { event, eventDispatcher, proxy, rabbitmq, rpc, run } from 'clew'
import { HttpServer, http } from 'clew/http'
import { profile } from 'clew/profile'
import { websocket } from 'clew/websocket'

const { CLEW_AMQP_URL = '', NAME = '', MODE = 'answer' } = process.env

const say = (line: string) => process.stdout.write(`${line}\n`)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

class Orders {
  static readonly name: string = NAME
  dispatch = eventDispatcher()
  orders = proxy<Orders>(NAME)

  @rpc async create(id: number): Promise<number> {
    await pause(3)
    await this.dispatch('created', { id })
    return id
  }
  @event(NAME, 'created') async handle({ id }: { id: number }): Promise<void> {
    say(`handling ${id}`)
    if (MODE === 'hang') await new Promise(() => {})
    await pause(3)
    say(`handled ${id}`)
  }
  // Through the broker: by whichever replica.
  @http('GET', '/orders/<int:id>') async page(_request: Request, id: number): Promise<string> {
    return `order ${await this.orders.create(id)}`
  }
  @websocket({ params: ['id'] }) async order(_socketId: string, id: number): Promise<number> {
    return this.orders.create(id)
  }
}

const running = await run(Orders, {
  broker: rabbitmq(CLEW_AMQP_URL),
  use: [profile()],
  maxWorkers: 20,
  config: { http: { host: '127.0.0.1', port: 0 } },
})
say(`url ${running.shared(HttpServer).url}`)
say('ready')
await running.stopped
say('stopped')
