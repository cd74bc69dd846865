import { type Arrival, type Broker, memory, type Publication, type Settlement } from 'clew'

type Take = (arrival: Arrival) => Promise<Settlement>

/** The in-process broker with messages delivered within the process. */
export function postal(): Broker {
  const broker = memory()
  const subscribers: { readonly key: string; readonly take: Take }[] = []
  const keyOf = (exchange: string | undefined, routingKey: string) => `${exchange} ${routingKey}`
  const deliver = async (arrival: Arrival, take: Take): Promise<void> => {
    if ((await take(arrival)) === 'requeue') await deliver({ ...arrival, redelivered: true }, take)
  }
  return {
    name: broker.name,
    async connect(options) {
      const connection = await broker.connect(options)
      connection.publish = async (publication: Publication) => {
        const key = keyOf(publication.exchange?.name, publication.routingKey)
        for (const { take } of subscribers.filter((subscriber) => subscriber.key === key)) {
          const { routingKey, payload, context, headers = {} } = publication
          const arrival = { routingKey, payload, context, headers, exchange: '' }
          const rest = { unreadable: undefined, correlationId: '', redelivered: false, attempt: 1 }
          void deliver({ ...arrival, ...rest }, take)
        }
      }
      connection.consume = async ({ queue }, take) => {
        subscribers.push({ key: keyOf(queue.exchange?.name, queue.bindingKey ?? ''), take })
        return { async stop() {} }
      }
      return connection
    },
  }
}
