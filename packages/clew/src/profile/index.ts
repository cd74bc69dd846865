export type { AccessOptions } from './access/access.ts'
export { Aliases } from './access/alias.ts'
export type { GrantClaims, GrantIssuer, GrantIssuerOptions, SourceClaims } from './access/issuer.ts'
export { grantIssuer } from './access/issuer.ts'
export type { UnverifiedToken } from './access/jwt.ts'
export { readToken as readUnverified } from './access/jwt.ts'
export type { GrantAlgorithm, GrantKey, NewGrantKey } from './access/keys.ts'
export { generateGrantKey, importGrantKeys, readGrantKeys } from './access/keys.ts'
export type { Refusal, RefusalCode } from './access/refusal.ts'
export type { Scope } from './access/scope.ts'
export type {
  Grant,
  GrantUse,
  GrantVerifier,
  GrantVerifierOptions,
  Judgement,
} from './access/verifier.ts'
export { grantVerifier } from './access/verifier.ts'
export type { ViewOptions } from './access/view.ts'
export { viewOf } from './access/view.ts'
export type { Clock } from './clock.ts'
export { systemClock } from './clock.ts'
export type { FileSinkOptions } from './file-sink.ts'
export { fileSink } from './file-sink.ts'
export type { ProfileOptions } from './profile.ts'
export { profile } from './profile.ts'
export type { ProfilerOptions } from './profiler.ts'
export type { Sink, SinkCounts } from './sink.ts'
export type { Traced } from './traced.ts'
export { traced, traceOf } from './traced.ts'
export type { MethodValues, ValueOptions, ValuePlace } from './value-rules.ts'
