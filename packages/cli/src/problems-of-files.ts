import type { TraceProblem } from 'clew/trace'
import { harmless } from './harmless.ts'
import type { ReadDocument } from './read-documents.ts'

/** What could not be read, with the names of the files where there are several. */
export function problemsOf(documents: readonly ReadDocument[]): readonly TraceProblem[] {
  const problems: TraceProblem[] = []
  const single = documents.length === 1
  const passedOver: string[] = []
  for (const { path, traces, problems: own, passedOver: passed } of documents) {
    const name = path === '-' ? 'stdin' : harmless(path)
    if (passed) passedOver.push(name)
    else if (traces === 0 && !single) {
      const message =
        own.length === 0 ? `${name} is empty` : `nothing in ${name} could be read as a trace`
      problems.push({ kind: 'unreadable', message })
    }
    for (const problem of own) {
      problems.push(single ? problem : { ...problem, message: `${name}: ${problem.message}` })
    }
  }
  if (passedOver.length > 0) {
    const [first] = passedOver
    const more = passedOver.length === 1 ? '' : ` and ${passedOver.length - 1} more files`
    problems.push({ kind: 'unreadable', message: `${first}${more}: no traces, passed over` })
  }
  return problems
}
