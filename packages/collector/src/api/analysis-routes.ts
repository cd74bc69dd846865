import {
  Baselines,
  CallPaths,
  type CallTree,
  CriticalCredits,
  compare,
  Findings,
  findingsSentences,
  Load,
  Statistics,
} from 'clew/trace'
import type { Filter } from '../filter/index.ts'
import { ApiError } from '../http/api-error.ts'
import type { Asked, Parameter, Route } from '../http/route.ts'
import type { Question } from '../store/trace-store.ts'
import * as schema from './analysis-schemas.ts'
import type {
  AnalysisAnswer,
  CompareAnswer,
  CriticalPathAnswer,
  FailuresAnswer,
  LoadAnswer,
  SampleAnswer,
  StragglersAnswer,
} from './analysis-shapes.ts'
import {
  criticalPathSentences,
  failedSentence,
  sampleSentences,
  stragglersSentence,
} from './analysis-words.ts'
import { placesOf } from './critical-places.ts'
import { limitOf, moment, QUESTION, questionIn, wholeIn, wordIn } from './parameters.ts'
import { Samples, type ToSample } from './sample.ts'
import { askingOf, jsonOf } from './to-shapes.ts'
import type { ApiOptions } from './trace-routes.ts'

const MOST_TRACES = 10_000
const USUAL_TRACES = 1_000
/** Traces of each side of a comparison: it draws them again and again. */
const MOST_COMPARED = 2_000
/** Of one list that is told. */
const MOST_PATHS_TOLD = 200
/** Half the time for each side of a comparison. */
const COMPARE_BUDGET_MS = 5_000

const AGAINST: readonly Parameter[] = [
  {
    ...{ name: 'against', in: 'query' },
    description: 'What it is held against: a filter, as `filter` is. Default the same filter.',
    schema: { type: 'string', maxLength: 8_192 },
  },
  moment('against-from', 'Of what it is held against, as `from`. Default the same.'),
  moment('against-to', 'Of what it is held against, as `to`. Default the same.'),
]

const BY: Parameter = {
  ...{ name: 'by', in: 'query' },
  description: 'What load is: requests a second, or at a time. Default rate.',
  schema: { enum: ['rate', 'in-flight'] },
}

const LIMITED = [...QUESTION, limitOf(MOST_TRACES, USUAL_TRACES)]

/** What the summaries say of reading whole traces. */
const BOUNDS =
  'Reads whole traces, at most `limit` and for at most 10 s; `sample` says how many of how many. Four such questions are worked on at a time, 16 may wait.'

/** What has to be asked of whole traces: a sample of those that match is read. */
export function analysisRoutes({ store, now = Date.now }: ApiOptions): readonly Route[] {
  const samples = new Samples(store)
  const toSample = (asked: Asked, by: ToSample['by']): ToSample => ({
    question: questionIn(asked, now()),
    limit: wholeIn(asked.query, 'limit', { most: MOST_TRACES, usual: USUAL_TRACES }),
    ...{ by, signal: asked.signal },
  })
  const analyses: readonly Analysis[] = [
    {
      ...{ path: '/api/analyze', name: 'analyze', parameters: LIMITED, answer: schema.ANALYSIS },
      summary: 'Who failed first, where the time goes, who straggles and what is missing.',
      tell: (asked) => analysed(samples, toSample(asked, 'even')),
    },
    {
      ...{ path: '/api/failures', name: 'getFailures', parameters: LIMITED },
      summary: 'Which service failed first, how often, and who only passed it on.',
      answer: schema.FAILURES,
      async tell(asked) {
        const all = toSample(asked, 'even')
        const { signal } = asked
        const failing = { ...all.question, filter: failedOf(all.question.filter) }
        const [requests, failed] = await Promise.all([
          store.count(all.question, { signal }),
          store.count(failing, { signal }),
        ])
        const counts = { requests: requests.weight, failed: failed.weight }
        return await failuresOf(
          samples,
          { ...all, question: failing },
          {
            ...{ asked: askingOf(all.question), ...counts },
          },
        )
      },
    },
    {
      ...{ path: '/api/stragglers', name: 'getStragglers', parameters: LIMITED },
      summary: 'Which instances take longer than their siblings and replicas, and why.',
      answer: schema.STRAGGLERS,
      tell: (asked) => stragglersOf(samples, toSample(asked, 'even')),
    },
    {
      ...{ path: '/api/critical-path', name: 'getCriticalPath', parameters: LIMITED },
      summary: 'What answers waited for, method by method and call path by call path.',
      answer: schema.CRITICAL_PATH,
      tell: (asked) => criticalPathOf(samples, toSample(asked, 'even')),
    },
    {
      ...{ path: '/api/load', name: 'getLoad', parameters: [...LIMITED, BY] },
      summary:
        'Where the bottleneck is, and how it moves with the load: of traces that came one after the other, in at most twelve stretches of the period.',
      answer: schema.LOAD,
      tell: (asked) => {
        const by = wordIn(asked.query, 'by', ['rate', 'in-flight'])
        return loadOf(samples, toSample(asked, 'stretches'), by === 'rate' ? 'rate' : 'inFlight')
      },
    },
    {
      ...{ path: '/api/compare', name: 'compare', answer: schema.COMPARE },
      summary: 'What explains the difference between two sets of requests, if it is no chance.',
      parameters: [...QUESTION, ...AGAINST, limitOf(MOST_COMPARED, USUAL_TRACES)],
      tell: (asked) => compared(samples, asked, now()),
    },
  ]
  return analyses.map(({ tell, summary, ...route }) => ({
    ...route,
    ...{ method: 'GET', role: 'read', summary: `${summary} ${BOUNDS}` },
    handle: (asked) => samples.inTurn(asked.subject.tenant, async () => jsonOf(await tell(asked))),
  }))
}

interface Analysis
  extends Pick<Route, 'path' | 'name' | 'summary'>,
    Required<Pick<Route, 'parameters' | 'answer'>> {
  tell(asked: Asked): Promise<object>
}

/** Of those that a filter asks for, those that failed. */
const failedOf = ({ conditions }: Filter): Filter => ({
  conditions: [...conditions, { field: 'failed', negated: false, comparison: '=', values: [true] }],
})

async function analysed(samples: Samples, asked: ToSample): Promise<AnalysisAnswer> {
  const { found, statistics, take } = findings()
  const sample = await samples.read(asked, take)
  const { calls, failed, incomplete, requests, bottlenecks, stragglers } = found
  return {
    ...{ asked: askingOf(asked.question), sample },
    sentences: [...findingsSentences(found), ...sampleSentences(sample)],
    ...{ calls, failed, incomplete, requests, failures: found.origins, bottlenecks, stragglers },
    ...{ slowInstances: statistics.slowInstances, missing: found.gaps },
  }
}

async function failuresOf(
  samples: Samples,
  failing: ToSample,
  all: Pick<FailuresAnswer, 'asked' | 'requests' | 'failed'>,
): Promise<FailuresAnswer> {
  const found = new Findings()
  const sample = await samples.read(failing, (tree) => found.add(tree))
  // Where the time goes is another question.
  const about = { traces: found.traces, failed: found.failed, origins: found.origins }
  const began = found.failed === 0 ? [] : findingsSentences({ ...about, bottlenecks: [] })
  const reading = all.failed === 0 ? [] : sampleSentences(sample)
  return {
    ...{ ...all, sample, failures: found.origins },
    sentences: [failedSentence(all.failed, all.requests), ...began, ...reading],
  }
}

async function stragglersOf(samples: Samples, asked: ToSample): Promise<StragglersAnswer> {
  const { found, statistics, take } = findings()
  const sample = await samples.read(asked, take)
  const { slowInstances } = statistics
  const { stragglers } = found
  return {
    ...{ asked: askingOf(asked.question), sample },
    sentences: [stragglersSentence(stragglers, slowInstances), ...sampleSentences(sample)],
    ...{ stragglers, slowInstances },
  }
}

function findings() {
  const baselines = new Baselines()
  const found = new Findings({ baseline: baselines.of })
  const statistics = new Statistics()
  const take = (tree: CallTree) => {
    found.add(tree)
    baselines.add(tree)
    statistics.add(tree)
  }
  return { found, statistics, take }
}

async function criticalPathOf(samples: Samples, asked: ToSample): Promise<CriticalPathAnswer> {
  const credits = new CriticalCredits()
  const population = new CallPaths()
  const sample = await samples.read(asked, (tree) => {
    credits.add(tree)
    population.add(tree)
  })
  const totalMs = credits.rootMs
  const methods = credits.credits.map(({ service, operation: method, ms }) => {
    return { service, method, ms, share: totalMs > 0 ? ms / totalMs : 0 }
  })
  return {
    ...{ asked: askingOf(asked.question), sample },
    sentences: [...criticalPathSentences(methods), ...sampleSentences(sample)],
    ...{ totalMs, methods },
    ...placesOf(population.paths),
  }
}

async function loadOf(
  samples: Samples,
  asked: ToSample,
  by: 'rate' | 'inFlight',
): Promise<LoadAnswer> {
  const load = new Load()
  const sample = await samples.read(asked, (tree) => load.add(tree))
  const { sentences, ...report } = load.report({ by })
  return {
    ...{ asked: askingOf(asked.question), sample },
    sentences: [
      ...sentences,
      ...sampleSentences(sample, 'one after the other in stretches of the time'),
    ],
    report,
  }
}

/** @throws ApiError 400 where both sides are the same */
async function compared(samples: Samples, asked: Asked, now: number): Promise<CompareAnswer> {
  const { query, signal } = asked
  if (!AGAINST.some(({ name }) => query.has(name))) {
    throw new ApiError(400, 'bad_parameter', 'nothing is told that it is to be held against', {
      advice: 'give against=FILTER, or against-from and against-to',
    })
  }
  const limit = wholeIn(query, 'limit', { most: MOST_COMPARED, usual: USUAL_TRACES })
  const question = questionIn(asked, now)
  const other = questionIn({ ...asked, query: againstIn(query) }, now)
  const sideOf = async (one: Question): Promise<[CallPaths, SampleAnswer]> => {
    const paths = new CallPaths()
    const of = { question: one, limit, by: 'once', budgetMs: COMPARE_BUDGET_MS, signal } as const
    return [paths, await samples.read(of, (tree) => paths.add(tree))]
  }
  const [b, against] = await sideOf(other)
  const [a, sample] = await sideOf(question)
  const { sentences, certain, paths, ...rest } = compare(b, a, { names: ['B', 'A'] })
  return {
    ...{ asked: askingOf(question), sample },
    sentences: [...sentences, ...sampleSentences(sample)],
    against: { asked: askingOf(other), sample: against },
    certain,
    difference: { ...rest, paths: paths.slice(0, MOST_PATHS_TOLD) },
    morePaths: Math.max(0, paths.length - MOST_PATHS_TOLD),
  }
}

/** What the other side asks: what is not told is as on the first. */
function againstIn(query: URLSearchParams): URLSearchParams {
  const other = new URLSearchParams()
  for (const [name, against] of [
    ['filter', 'against'],
    ['from', 'against-from'],
    ['to', 'against-to'],
  ] as const) {
    const told = query.get(against) ?? query.get(name)
    if (told !== null) other.set(name, told)
  }
  return other
}
