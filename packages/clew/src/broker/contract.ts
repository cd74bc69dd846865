import { describe } from 'node:test'
import type { Broker, Delivery } from '../call/index.ts'
import { attachmentTests } from './contract/attachments.ts'
import { callTests } from './contract/calls.ts'
import { collectingTests } from './contract/collecting.ts'
import { consumingTests } from './contract/consuming.ts'
import { deadlineTests } from './contract/deadlines.ts'
import { failureTests } from './contract/failures.ts'
import { connector } from './contract/fixtures.ts'
import { headerTests } from './contract/headers.ts'
import { hostileReplyTests } from './contract/hostile-replies.ts'
import { hostileRequestTests } from './contract/hostile-requests.ts'
import { mailboxTests } from './contract/mailbox.ts'
import { publishingTests } from './contract/publishing.ts'
import type { RawPeer } from './contract/raw-peer.ts'
import { retryingTests } from './contract/retrying.ts'
import { serializerTests } from './contract/serializers.ts'
import { servingTests } from './contract/serving.ts'

export interface ContractOptions {
  readonly delivery: Delivery
  readonly broker: () => Broker
  /** Opens a peer that can send any message whatever. */
  readonly peer: () => Promise<RawPeer>
}

/** Only for tests: what every broker must do, run over each of them with both deliveries. */
export function brokerContract({ delivery, broker, peer }: ContractOptions): void {
  const connect = connector(broker, delivery)
  describe('calls', () => callTests(connect))
  describe('failures', () => failureTests(connect))
  describe('deadlines', () => deadlineTests(connect))
  describe('headers', () => headerTests(connect))
  describe('attachments', () => attachmentTests(connect))
  describe('serving', () => servingTests(connect, delivery))
  describe('mailbox', () => mailboxTests(connect))
  describe('publishing', () => publishingTests(connect, delivery))
  describe('consuming', () => consumingTests(connect, peer))
  describe('collecting', () => collectingTests(connect))
  describe('retrying', () => retryingTests(connect, peer))
  describe('serializers', () => serializerTests(connect, peer))
  describe('hostile requests', () => hostileRequestTests(connect, peer))
  describe('hostile replies', () => hostileReplyTests(connect, peer))
}
