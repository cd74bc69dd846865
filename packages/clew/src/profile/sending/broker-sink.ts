import type { CollectQueue } from '../../call/index.ts'
import { ConfigError } from '../../call/index.ts'
import { QueueRoad } from './queue-road.ts'
import { Sender } from './sender.ts'
import type { SendingOptions } from './sending-options.ts'
import type { SendingSink } from './sending-sink.ts'

export interface BrokerSinkOptions extends SendingOptions {
  /** Where collectors take batches from. @default 'clew.collect' */
  readonly queue?: string | undefined
}

/**
 * Sends traces to collectors over the broker that the profiled process is connected to anyway, into a
 * durable queue that is made if it is not there: nothing is lost before a collector has ever run, or
 * while none does. What waits for the broker is bounded and counted, as with `httpSink`. Docs:
 * docs/sending.md.
 * @throws ConfigError for a name that no queue can have
 */
export function brokerSink(options: BrokerSinkOptions = {}): SendingSink {
  const { queue = 'clew.collect', ...sending } = options
  if (typeof queue !== 'string' || queue === '' || Buffer.byteLength(`dead-${queue}`) > 255) {
    throw new ConfigError('brokerSink: queue must be a name of 1 to 250 bytes.')
  }
  return new BrokerSink(new QueueRoad(queue), sending)
}

class BrokerSink extends Sender {
  readonly #road: QueueRoad

  constructor(road: QueueRoad, options: SendingOptions) {
    super(road, options)
    this.#road = road
  }

  useQueue(queue: CollectQueue): () => void {
    return this.#road.use(queue)
  }
}
