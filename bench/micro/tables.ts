import { runText } from '../harness/run-text.ts'
import { estimateText } from '../harness/statistics.ts'
import { type MicroResults, type StepMeasured, TARGETS } from './results.ts'
import type { StepGroup } from './step.ts'

const HEADINGS: Readonly<Record<StepGroup, string>> = {
  call: 'What profiling adds to one call',
  parts: 'The steps it is made of, each by itself',
  whole: 'A whole call from client to service, both in one process',
  trace: 'Reading a trace, each call of it',
  choices: 'What was chosen for the hot path, beside what the language has',
}

const ORDER: readonly StepGroup[] = ['call', 'parts', 'whole', 'trace', 'choices']

/** The results as Markdown: how they came about, the targets, and the numbers. */
export function reportOf(results: MicroResults): string {
  const tables = ORDER.map((group) => tableOf(results.steps, group)).filter((text) => text !== '')
  const ran = runText({ ...results, otherWork: { before: results.otherWork } })
  return [ran, targetsOf(results), ...tables].filter((text) => text !== '').join('\n\n')
}

function targetsOf({ sums }: MicroResults): string {
  const rows = [
    row('both sides of a call, µs', micro(sums.callNs), micro(TARGETS.callNs)),
    row('both sides of a call, bytes', count(sums.callBytes), count(TARGETS.callBytes)),
    row(
      'a tree of 100,000 calls, µs a call of it',
      micro(sums.treeNsPerCall),
      micro(TARGETS.treeNsPerCall),
    ),
  ].filter((line) => line !== '')
  if (rows.length === 0) return ''
  return ['| | measured | wanted, at most |', '|---|---:|---:|', ...rows].join('\n')
}

function row(what: string, measured: string, wanted: string): string {
  return measured === '' ? '' : `| ${what} | ${measured} | ${wanted} |`
}

function tableOf(steps: readonly StepMeasured[], group: StepGroup): string {
  const rows = steps
    .filter((step) => step.group === group)
    .map(({ title, ns, collectingNs, bytes }) => {
      const spread = estimateText(ns, count)
      const collecting = collectingNs === null ? [] : [count(collectingNs)]
      const cells = [title, spread, ...collecting, bytes === null ? '–' : count(bytes)]
      return `| ${cells.join(' | ')} |`
    })
  if (rows.length === 0) return ''
  const collecting = group === 'choices' ? ['of it collecting garbage'] : []
  const head = [HEADINGS[group], 'ns', ...collecting, 'bytes']
  const rule = `|---${'|---:'.repeat(head.length - 1)}|`
  return [`| ${head.join(' | ')} |`, rule, ...rows].join('\n')
}

const count = (value: number | null) =>
  value === null ? '' : Math.round(value).toLocaleString('en-US')
const micro = (ns: number | null) => (ns === null ? '' : (ns / 1000).toFixed(2))
