import type { Broker } from 'clew'
import { ApiError } from '../http/api-error.ts'
import type { Intake } from './intake.ts'

type BrokerConnection = Awaited<ReturnType<Broker['connect']>>

export interface BrokerRoadOptions {
  readonly broker: Broker
  readonly intake: Intake
  /** Whose everything is that comes this way: who may publish there is the broker's business. @default 'default' */
  readonly tenant?: string | undefined
  /** Batches taken from the queue and not yet durable. @default 32 */
  readonly prefetch?: number | undefined
  /** @default 'clew.collect' */
  readonly queue?: string | undefined
  readonly onProblem?: ((error: unknown) => void) | undefined
}

/** A road by which batches come. */
export interface Road {
  readonly tenant: string
  /** Of its connection: by it services can be asked. */
  readonly mailbox: BrokerConnection['mailbox']
  /** Takes nothing more; resolves when what was taken is durable and acknowledged. */
  close(): Promise<void>
}

/**
 * Takes batches from the broker's queue, each acknowledged when it is durable: what cannot be kept now
 * goes back, what can never be read is dropped and told. Lasts through reconnections.
 * @throws RpcError `disconnected`, ConfigError when the queue has other properties
 */
export async function brokerRoad(options: BrokerRoadOptions): Promise<Road> {
  const { broker, intake, tenant = 'default', prefetch = 32, queue, onProblem } = options
  const connection: BrokerConnection = await broker.connect({
    onProblem: (problem) => onProblem?.(problem),
  })
  try {
    const consumer = await connection.collectQueue.consume(
      async (batch) => {
        try {
          await intake.take(tenant, batch, 'broker')
        } catch (error) {
          onProblem?.(error)
          if (!isHopeless(error)) throw error
        }
      },
      { prefetch, ...(queue !== undefined && { queue }) },
    )
    return {
      ...{ tenant, mailbox: connection.mailbox },
      async close() {
        await consumer.stop()
        await connection.close()
      },
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Sent again it would be no better. */
const isHopeless = (error: unknown) =>
  error instanceof ApiError && (error.status === 400 || error.status === 413)
