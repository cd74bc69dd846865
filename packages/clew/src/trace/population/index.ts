export { Baselines } from './baselines.ts'
export { CallPaths, type CallPathsOptions, type PathStatistics, type Sample } from './call-paths.ts'
export type { Interval } from './chance.ts'
export { circles } from './circles.ts'
export { type AlignedCall, compareTraces, type TraceDifference } from './compare-traces.ts'
export { type CompareOptions, compare, splitBySpeed } from './difference.ts'
export type * from './difference-shape.ts'
export type { Window } from './explained.ts'
export { FAILURE_KINDS, findingsSentences } from './finding-words.ts'
export {
  type BottleneckFinding,
  Findings,
  type GapFinding,
  type OriginFinding,
  type RequestFinding,
  type StragglerFinding,
} from './findings.ts'
export type { InFlightCheck } from './in-flight-check.ts'
export type { Lift } from './lift.ts'
export { Load, type LoadOptions } from './load.ts'
export { utilisationOf } from './load-bottleneck.ts'
export type * from './load-report.ts'
export {
  bottleneckWords,
  type LoadStretch,
  loadNumber,
  plusMinus,
  stretchesOf,
} from './load-sentences.ts'
export { type MapEnd, type MappedCall, mappedCalls } from './map-caller.ts'
export { type CallPath, type PathTable, pathName } from './path-table.ts'
export type { PathSide, Trait } from './path-tests.ts'
export { type Change, retimed } from './retime.ts'
export { type LoadPoint, type NoScalability, type Scalability, scalability } from './scalability.ts'
export { ServiceMap, serviceMap } from './service-map.ts'
export type * from './service-map-shape.ts'
export {
  binOf as sketchBinOf,
  middleOf as sketchBinMiddle,
  SKETCH_ERROR,
  Sketch,
  type SketchJson,
} from './sketch.ts'
export type { SlowInstance } from './slow-instances.ts'
export { type CallStatistics, MEASURES, type Measure, Statistics } from './statistics.ts'
export type { PathUse, TraceProfile } from './trace-profile.ts'
export { type Imagined, WhatIf, type WhatIfAnswer, whatIf } from './what-if.ts'
