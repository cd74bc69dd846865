export {
  Breakdown,
  type BreakdownPart,
  type BreakdownRow,
  breakdown,
  breakdownRows,
  type RequestBreakdown,
} from './breakdown.ts'
export { type CriticalSegment, criticalPath } from './critical-path.ts'
export { type Failure, type FailureKind, failures } from './failures.ts'
export { formatMs, formatShare } from './format-ms.ts'
export { LAYERS, type Layer, layerOfOperation } from './layer.ts'
export { type PauseEffect, pauseEffects } from './pauses.ts'
export { slowestPath } from './slowest-path.ts'
export { type Leg, type Straggler, stragglers } from './stragglers.ts'
export { type Bottleneck, type Verdict, verdict } from './verdict.ts'
export { nameOf as callName } from './walk.ts'
