export type * from '../api/shapes.ts'
export {
  type Asked,
  type ClientOptions,
  CollectorClient,
  collectorClient,
  type Exported,
  type TailEvent,
} from './client.ts'
export { CollectorError } from './collector-error.ts'
