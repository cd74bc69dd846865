export { type Bottleneck, bottlenecks, type Where } from './bottlenecks.ts'
export {
  Breakdown,
  type BreakdownPart,
  type BreakdownRow,
  breakdown,
  breakdownRows,
  partsOf,
  type RequestBreakdown,
} from './breakdown.ts'
export { type CriticalCredit, CriticalCredits, criticalCredits } from './critical-credits.ts'
export { type CriticalSegment, criticalPath } from './critical-path.ts'
export { type Failure, type FailureKind, failures } from './failures.ts'
export { formatMs, formatShare } from './format-ms.ts'
export { LAYERS, type Layer, layerOfOperation } from './layer.ts'
export { LEGS, type Leg, legMs, type Way, wayMs } from './legs.ts'
export { type Gap, type GapKind, missing } from './missing.ts'
export { type PauseEffect, pauseEffects } from './pauses.ts'
export { type Retry, retries } from './retries.ts'
export { slowestPath } from './slowest-path.ts'
export {
  type Baseline,
  type Straggler,
  type StragglerOptions,
  stragglers,
} from './stragglers.ts'
export { type Unfinished, unfinished } from './unfinished.ts'
export { type Verdict, verdict } from './verdict.ts'
export { failureSentence, stragglerSentence } from './verdict-words.ts'
export { nameOf as callName, spokenName } from './walk.ts'
