import { describe } from 'node:test'
import { brokerContract } from './contract.ts'
import { rabbitmq } from './rabbitmq.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'CLEW_AMQP_URL is not set: no RabbitMQ to test with'

describe('rabbitmq, nameko delivery', { skip }, () =>
  brokerContract({ delivery: 'nameko', open: () => rabbitmq(url!) }),
)
describe('rabbitmq, fast delivery', { skip }, () =>
  brokerContract({ delivery: 'fast', open: () => rabbitmq(url!) }),
)
