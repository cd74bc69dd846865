import type { AlignedCall, Contribution, Difference, PathChange, TraceDifference } from 'clew/trace'
import { callJson, toMicroseconds } from './analysis-json.ts'

/** Of each list: what is beyond is counted. */
const MOST = 200

/** A comparison of populations as programs read it. */
export function differenceJson(
  found: Difference,
  [before, after]: readonly [string, string],
): object {
  const { total, failures, contributions, paths, kinds, attributes, suspects } = found
  return toMicroseconds({
    compared: 'populations',
    names: { before, after },
    before: found.before,
    after: found.after,
    certain: found.certain,
    sentences: found.sentences,
    total,
    failures,
    suspects,
    explains: contributions.map(contributionJson),
    paths: paths.slice(0, MOST).map(pathJson),
    morePaths: Math.max(0, paths.length - MOST),
    kinds,
    attributes,
  })
}

function contributionJson({ names, shares, deltaMs, ...told }: Contribution): object {
  return { ...told, path: names, deltaMs, shareLow: shares.low, shareHigh: shares.high }
}

function pathJson({ path, names, differs, before, after, deltaMs, leg, p }: PathChange): object {
  const { service, method } = path
  return { service, method, path: names, differs, deltaMs, leg, p, before, after }
}

/** A comparison of two traces as programs read it. */
export function traceDifferenceJson(found: TraceDifference): object {
  const { calls, statuses, ...told } = found
  return toMicroseconds({
    compared: 'traces',
    ...told,
    calls: calls.slice(0, MOST).map(alignedJson),
    moreCalls: Math.max(0, calls.length - MOST),
    statuses: statuses.slice(0, MOST).map(alignedJson),
  })
}

function alignedJson({ before, after, names, ...told }: AlignedCall): object {
  return {
    ...told,
    path: names,
    before: before && callJson(before),
    after: after && callJson(after),
  }
}
