export {
  AuditLog,
  type AuditLogOptions,
  type AuditRecord,
  type AuditWho,
} from './access/audit-log.ts'
export { audited } from './access/audited.ts'
export { checkExposure, type Exposure, ExposureError } from './access/exposure.ts'
export { openGate } from './access/open-gate.ts'
export {
  type RefusalReason,
  TokenGate,
  type TokenGateOptions,
  tokenGate,
} from './access/token-gate.ts'
export {
  type Collector,
  type CollectorOptions,
  type ConsumeOptions,
  createCollector,
} from './collector.ts'
export type { Comparison, Condition, Filter } from './filter/filter.ts'
export { EVERYTHING } from './filter/filter.ts'
export { FilterError, formatFilter, parseFilter } from './filter/index.ts'
export { ApiError } from './http/api-error.ts'
export type { Gate } from './http/gate.ts'
export type { Asked, Parameter, Role, Route, Subject } from './http/route.ts'
export type { Intake, IntakeAnswer, RejectReason } from './ingest/intake.ts'
export { type ServeOptions, type Serving, serve } from './serve.ts'
export { Settler, type SettlerOptions } from './settle/settler.ts'
export { MOST_CALLS, summarise, type ToSummarise } from './settle/summarise.ts'
export { type GatheredTrace, traceOf } from './settle/trace-of.ts'
export type * from './store/answers.ts'
export { type EmbeddedStoreOptions, embeddedStore } from './store/embedded-store.ts'
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from './store/memory-store.ts'
export { Retention, type RetentionOptions } from './store/retention.ts'
export { clickhouseStore, type ServerStoreOptions, storeSchema } from './store/server-store.ts'
export { StoreError, type StoreErrorCode } from './store/store-error.ts'
export type * from './store/summary.ts'
export type * from './store/trace-store.ts'
export { traceKey } from './store/trace-store.ts'
