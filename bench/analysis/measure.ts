// Measures in a process of its own: what was measured before leaves no memory behind.
import { closeSync, openSync, readSync } from 'node:fs'
import { formatReader } from 'clew/formats'
import {
  Breakdown,
  callTree,
  criticalCredits,
  Findings,
  Statistics,
  type Trace,
  verdict,
} from 'clew/trace'
import { answerParent } from '../harness/remote.ts'
import { writeDocument } from './documents.ts'
import type { Measuring, Question, StepsTaken, Taken } from './measuring.ts'

const CHUNK = 65_536

answerParent<Measuring>(
  {
    write: writeDocument,
    idle: async () => peakBytes(),
    parse: async (question) => parse(question),
    analyze: async (question) => analyze(question),
    stream: async (question) => stream(question),
  },
  async () => {},
)

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

function timed<T>(step: () => T): readonly [T, Taken] {
  const begin = performance.now()
  const made = step()
  return [made, { ms: performance.now() - begin, peakBytes: peakBytes() }]
}

function* chunksOf(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r')
  const chunk = new Uint8Array(CHUNK)
  for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
    yield chunk.subarray(0, size)
  }
  closeSync(file)
}

function parse({ path, format }: Question): Taken {
  const values: unknown[] = []
  const keep = (line: string) => {
    const text = line.endsWith(',') ? line.slice(0, -1) : line
    if (format !== 'jaeger' || text.startsWith('{"traceID"')) values.push(JSON.parse(text))
  }
  const [, taken] = timed(() => {
    const decoder = new TextDecoder()
    let rest = ''
    for (const chunk of chunksOf(path)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) keep(line)
    }
  })
  if (values.length === 0) throw new Error(`nothing in ${path}`)
  return taken
}

function analyze(question: Question): StepsTaken {
  const [traces, read] = timed(() => [...tracesOf(question)])
  if (traces.length !== 1) throw new Error(`${traces.length} traces, not 1, in ${question.path}`)
  const [built, tree] = timed(() => callTree(traces.pop()!))
  const [, judged] = timed(() => verdict(built))
  const [sums, credits] = timed(() => criticalCredits(built))
  if (!built.complete || sums.length === 0) throw new Error('the trace did not come whole')
  return { read, tree, verdict: judged, credits }
}

function stream(question: Question): Taken & { readonly traces: number } {
  const findings = new Findings()
  const [, taken] = timed(() => {
    const sums = [findings, new Breakdown(), new Statistics()]
    for (const trace of tracesOf(question)) {
      const tree = callTree(trace)
      for (const sum of sums) sum.add(tree)
    }
  })
  return { ...taken, traces: findings.traces }
}

function* tracesOf({ path, format }: Question): Generator<Trace> {
  const reader = formatReader(format)
  for (const chunk of chunksOf(path)) yield* reader.push(chunk)
  yield* reader.end()
  const [problem] = reader.problems
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`)
}
