export { memory, rabbitmq } from './broker/index.ts'
export type {
  Broker,
  Call,
  CallIdentity,
  Connection,
  ConnectOptions,
  Delivery,
  ErrorClass,
  ErrorClasses,
  Handler,
  Headers,
  HeaderValue,
  Interceptor,
  Mailbox,
  Plugin,
  PluginHost,
  Problem,
  Reply,
  RpcErrorCode,
  Use,
} from './call/index.ts'
export { ConfigError, RemoteError, RpcError } from './call/index.ts'
export type {
  ClientOptions,
  Cluster,
  LogEvent,
  Logger,
  Running,
  RunOptions,
} from './container/index.ts'
export { connect, run } from './container/index.ts'
export type {
  Caller,
  CallOptions,
  DependencyHost,
  Outcome,
  Rpc,
  RpcByKeyword,
  RpcCluster,
  RpcOptions,
  ServiceClass,
  WorkerContext,
} from './service/index.ts'
export {
  clusterProxy,
  Dependency,
  inject,
  proxy,
  rpc,
  withOptions,
  workerContext,
} from './service/index.ts'
