export type * from './filter.ts'
export { EVERYTHING } from './filter.ts'
