export type * from '../api/analysis-shapes.ts'
export type * from '../api/shapes.ts'
export type { UsageAnswer } from '../api/usage-route.ts'
export type { AccountAnswer, AccountSums, AccountsAnswer } from '../ingest/account-route.ts'
export type { RecallAnswer } from '../recall/recall-route.ts'
export {
  type Against,
  type Asked,
  type AskedOfSample,
  type ClientOptions,
  CollectorClient,
  collectorClient,
  type Exported,
  type HealthAnswer,
  type TailEvent,
} from './client.ts'
export { CollectorError } from './collector-error.ts'
