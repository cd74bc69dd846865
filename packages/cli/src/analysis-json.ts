import {
  bottlenecks,
  type CallNode,
  type CallTree,
  criticalPath,
  type Failure,
  failures,
  missing,
  type PauseEffect,
  pauseEffects,
  retries,
  type Straggler,
  stragglers,
  type TraceProblem,
  verdict,
} from 'clew/trace'

/** Of each list: what is beyond is counted. */
const MOST = 1_000

/** Microseconds are the finest that any clock here tells: sums of them have digits that mean nothing. */
export function toMicroseconds(answer: object): object {
  const text = JSON.stringify(answer, (key, value: unknown) =>
    typeof value === 'number' && /ms$/i.test(key) ? Math.round(value * 1000) / 1000 : value,
  )
  return JSON.parse(text) as object
}

/** By what a call is known to a script. */
export function callJson(call: CallNode): object {
  const { id, service, method, edge, host, pid, totalMs, status, error, attempt, from, version } =
    call
  const more = attempt > 1 ? { attempt } : {}
  return {
    id,
    service,
    method,
    edge,
    host,
    pid,
    ms: totalMs,
    status,
    error,
    from,
    version,
    ...more,
  }
}

const named = ({ id, service, method, host }: CallNode) => ({ id, service, method, host })

export function failureJson(failure: Failure): object {
  const { origin, kind, masked, passedOn, suspect, handler, doubt } = failure
  return {
    ...{ kind, masked, ...callJson(origin) },
    atMs: origin.offsetMs,
    passedOn: passedOn.map(named),
    suspect: suspect && named(suspect),
    handler: handler && named(handler),
    doubt,
  }
}

export function stragglerJson(straggler: Straggler): object {
  const { call, parent, cause, ...figures } = straggler
  return { ...callJson(call), ...figures, parent: named(parent), cause: cause && named(cause) }
}

/** Inferred by process and time: no id leads from a pause to a call. */
function pauseJson({ pause, calls, overlapped, criticalMs }: PauseEffect): object {
  const overlaps = calls.map(({ call, overlapMs }) => ({ ...named(call), overlapMs }))
  const { kind, host, pid, timeMs, ms } = pause
  return { kind, host, pid, timeMs, ms, inferred: true, criticalMs, overlapped, calls: overlaps }
}

/** One trace's whole answer. */
export function traceAnswer(tree: CallTree, problems: readonly TraceProblem[]): object {
  const path = criticalPath(tree)
  const { sentences, unclear } = verdict(tree)
  const { root, traceId, startedMs, totalMs, calls, missingCalls, complete, source } = tree
  const [failed, slow, again] = [failures(tree, path), stragglers(tree, path), retries(tree)]
  return {
    kind: 'trace',
    trace: {
      ...{ id: traceId, service: root.service, method: root.method, status: root.status },
      ...{ startedMs, totalMs, calls, missingCalls, complete, source },
    },
    verdict: { sentences, unclear },
    failures: failed.slice(0, MOST).map(failureJson),
    failureCount: failed.length,
    bottlenecks: bottlenecks(tree, path)
      .slice(0, MOST)
      .map(({ call, ...figures }) => ({ ...figures, id: call.id })),
    stragglers: slow.slice(0, MOST).map(stragglerJson),
    retries: again.slice(0, MOST).map(({ parent, tries, ...figures }) => ({
      ...figures,
      parent: named(parent),
      tries: tries.slice(0, MOST).map(callJson),
    })),
    pauses: pauseEffects(tree, path).slice(0, MOST).map(pauseJson),
    clocks: tree.clocks.slice(0, MOST),
    missing: missing(tree).map(({ at, ...figures }) => ({ ...figures, at: at.id })),
    problems: [...tree.problems, ...problems],
  }
}
