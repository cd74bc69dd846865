export type * from '../api/analysis-shapes.ts'
export type * from '../api/shapes.ts'
export type { RecallAnswer } from '../recall/recall-route.ts'
export {
  type Against,
  type Asked,
  type AskedOfSample,
  type ClientOptions,
  CollectorClient,
  collectorClient,
  type Exported,
  type TailEvent,
} from './client.ts'
export { CollectorError } from './collector-error.ts'
