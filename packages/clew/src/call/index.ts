export { BOUND, type BoundArguments } from './bound.ts'
export type { Admission, Boundary, Passage, Visitor } from './boundary.ts'
export type {
  Broker,
  Connection,
  ConnectOptions,
  Delivery,
  Problem,
  ServeOptions,
} from './broker.ts'
export { ById, type Waiting } from './by-id.ts'
export type { Call } from './call.ts'
export type {
  CollectBacklog,
  CollectOptions,
  CollectQueue,
  Handed,
  HandOptions,
} from './collect-queue.ts'
export type { Consumer } from './consumer.ts'
export { ContextKey, ContextValues } from './context-values.ts'
export { Deadlines, type Expiring } from './deadlines.ts'
export type { Derivable } from './derive.ts'
export { derivable, isCallable, WITH_INTERCEPTOR } from './derive.ts'
export type { EdgeKind } from './edge-kind.ts'
export type { CallIdentity, ErrorClass, ErrorClasses, RpcErrorCode } from './errors.ts'
export { ConfigError, RemoteError, RpcError, toError } from './errors.ts'
export type { WireError } from './errors-wire.ts'
export {
  ErrorRegistry,
  errorFromWire,
  errorToOutside,
  errorToWire,
  malformedReply,
} from './errors-wire.ts'
export type { GrantSource } from './grant.ts'
export { GRANT_HEADER, presenting } from './grant.ts'
export type { Headers, HeaderTable, HeaderValue } from './headers.ts'
export { NewTable } from './headers.ts'
export { drawIdsFrom, newCallId, newHalfId, SharedIds } from './ids.ts'
export type { Handler, Interceptor } from './interceptor.ts'
export { compose, telling } from './interceptor.ts'
export type { LogEvent, Logger } from './log.ts'
export { withReason } from './log.ts'
export type { Mailbox } from './mailbox.ts'
export { MAILBOX } from './mailbox.ts'
export type {
  Arrival,
  ExchangeDeclaration,
  Publication,
  PublishingOptions,
  QueueDeclaration,
  RetryPolicy,
  Settlement,
  Subscription,
} from './messaging.ts'
export type { CallObserver, Stray, WorkObserver } from './observer.ts'
export { WORK_OBSERVER } from './observer.ts'
export type { Plugin, PluginHost, Use } from './plugin.ts'
export { toPlugin } from './plugin.ts'
export type { Reply } from './reply.ts'
export type { Serializer, WireOptions } from './serializer.ts'
export { wireOptionsOf } from './serializer.ts'
export { shownAddress } from './shown-address.ts'
export { type Place, UnderWay } from './under-way.ts'
