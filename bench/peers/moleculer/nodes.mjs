// Two Moleculer nodes over AMQP, as https://moleculer.services/docs/0.15/networking has them, but for
// TCP_NODELAY and the prefetch: with 1, its default, a node works on one request at a time; 0 is as
// many as there are. Messages are transient, requests are acknowledged after their replies are handed
// over. It cannot confirm. Its own tracer sends what it has every five seconds, as it does by default.
import { ServiceBroker } from 'moleculer'

function brokerOf({ url, service, sink }, nodeID) {
  const socketOptions = { noDelay: true }
  return new ServiceBroker({
    namespace: service,
    nodeID,
    logger: false,
    transporter: { type: 'AMQP', options: { url, prefetch: 0, socketOptions } },
    tracing:
      sink === undefined
        ? false
        : { enabled: true, exporter: { type: 'Zipkin', options: { baseURL: sink } } },
  })
}

export async function serve(settings) {
  const broker = brokerOf(settings, 'server')
  broker.createService({
    name: 'greeting',
    actions: { hello: ({ params }) => settings.hello(params.name) },
  })
  await broker.start()
  return end(broker)
}

export async function open(settings) {
  const broker = brokerOf(settings, 'client')
  await broker.start()
  await broker.waitForServices('greeting')
  return {
    hello: (name) => broker.call('greeting.hello', { name }),
    ...end(broker),
  }
}

/** Queues need no deletion: they are gone two minutes after their node. */
function end(broker) {
  return {
    close: () => broker.stop(),
    flush: async () => {
      for (const exporter of broker.tracer.exporter ?? []) exporter.flush()
    },
  }
}
