export type * from './filter.ts'
export { EVERYTHING, FIELDS } from './filter.ts'
export { FilterError } from './filter-error.ts'
export { formatFilter } from './format-filter.ts'
export {
  asksForCalls,
  type FilteredCall,
  type FilteredTrace,
  matches,
  matchesCall,
  matchesTrace,
} from './matches.ts'
export { parseFilter } from './parse-filter.ts'
export { matchesPattern, patternParts } from './pattern.ts'
