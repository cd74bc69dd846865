// Clew as its users write it. Traced: `profile()` with its default settings at both ends, and the caller
// sends every trace to a collector.
import { connect, type Delivery, rabbitmq, rpc, run } from 'clew'
import { httpSink, profile } from 'clew/profile'
import type { Guarantees, Program } from './program.ts'

interface Greeting {
  hello(name: string): Promise<string>
}

const deliveryOf = (guarantees: Guarantees): Delivery => (guarantees === 'fast' ? 'fast' : 'nameko')

export const serve: Program['serve'] = async (settings) => {
  const { url, service, guarantees, sink, hello } = settings
  class GreetingService implements Greeting {
    static readonly name: string = service
    @rpc async hello(name: string): Promise<string> {
      return await hello(name)
    }
  }
  const running = await run([GreetingService], {
    broker: rabbitmq(url),
    delivery: deliveryOf(guarantees),
    use: sink === undefined ? [] : [profile()],
    signals: false,
  })
  return { close: () => running.stop() }
}

export const open: Program['open'] = async ({ url, service, guarantees, sink }) => {
  const collector = sink === undefined ? undefined : httpSink({ url: sink })
  const cluster = await connect(rabbitmq(url), {
    delivery: deliveryOf(guarantees),
    use: collector === undefined ? [] : [profile({ sink: collector })],
  })
  const greeting = cluster.proxy<Greeting>(service)
  return {
    hello: (name) => greeting.hello(name),
    flush: async () => collector?.flush(),
    close: () => cluster.close(),
  }
}
