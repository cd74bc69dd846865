// A NestJS microservice on RabbitMQ and its client, as https://docs.nestjs.com/microservices/rabbitmq
// has them. NestJS confirms every message, requests and replies, whatever it is told, and sends
// replies through direct reply-to, where nothing is persistent. Its prefetch stays what it is by
// default: as many as there are.
import 'reflect-metadata'
import { Controller, Logger, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, Ctx, MessagePattern, Payload, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'

const SOCKET = { connectionOptions: { noDelay: true } }

export async function serve({ url, service, hello, guarantees }) {
  // By default the broker counts a request as done when it has sent it to a server.
  const noAck = guarantees === 'unacknowledged'

  class GreetingController {
    async hello(name, context) {
      const greeting = await hello(name)
      // Its documentation's way; the reply is sent after it.
      if (!noAck) context.getChannelRef().ack(context.getMessage())
      return greeting
    }
  }
  class GreetingModule {}

  // What TypeScript makes of decorators, written out: @Controller(), @MessagePattern('hello'), …
  const { prototype } = GreetingController
  Controller()(GreetingController)
  MessagePattern('hello')(prototype, 'hello', Object.getOwnPropertyDescriptor(prototype, 'hello'))
  Payload()(prototype, 'hello', 0)
  Ctx()(prototype, 'hello', 1)
  Module({ controllers: [GreetingController] })(GreetingModule)

  const app = await NestFactory.createMicroservice(GreetingModule, {
    transport: Transport.RMQ,
    options: { urls: [url], queue: service, noAck, socketOptions: SOCKET },
    logger: ['error', 'warn'],
  })
  await app.listen()
  return { close: () => app.close() }
}

export async function open({ url, service, guarantees }) {
  Logger.overrideLogger(['error', 'warn'])
  const persistent = guarantees === 'confirmed-requests'
  const client = ClientProxyFactory.create({
    transport: Transport.RMQ,
    options: { urls: [url], queue: service, persistent, socketOptions: SOCKET },
  })
  await client.connect()
  return {
    hello: (name) => firstValueFrom(client.send('hello', name)),
    close: () => client.close(),
  }
}
