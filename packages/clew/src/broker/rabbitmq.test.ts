import { describe } from 'node:test'
import { rawPeer } from './contract/raw-peer.ts'
import { brokerContract } from './contract.ts'
import { readAddress } from './rabbit-address.ts'
import { openTransport, rabbitmq } from './rabbitmq.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'
const SILENT = { returned() {}, down() {}, restored() {}, blocked() {}, problem() {} }

for (const delivery of ['nameko', 'fast'] as const) {
  describe(`rabbitmq, ${delivery} delivery`, { skip }, () => {
    brokerContract({
      delivery,
      broker: () => rabbitmq(url!),
      peer: async () => rawPeer(await openTransport(readAddress(url!, 10, 'raw peer'), {}, SILENT)),
    })
  })
}
