import type { Trace, TraceProblem } from 'clew/trace'
import { readAllTraces } from './all-traces.ts'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'
import { harmless } from './harmless.ts'
import { parseSelector, readTraceFile, type Selector } from './trace-file.ts'

export interface ChosenTrace {
  readonly trace: Trace
  readonly problems: readonly TraceProblem[]
}

/**
 * Reads one trace of any number of files: by its number in the order in which they are read, or by a
 * part of its id.
 * @throws Fault when there is none (exit code 3) or several (exit code 2), or a file cannot be read
 */
export async function chosenTrace(paths: readonly string[], text: string): Promise<ChosenTrace> {
  const selector = parseSelector(text)
  const [path] = paths
  if (path !== undefined && paths.length === 1 && path !== '-') {
    const { trace, problems } = await readTraceFile(path, selector)
    if (trace !== undefined) return { trace, problems }
  }
  let count = 0
  let found: Trace | undefined
  const ids: string[] = []
  const problems = await readAllTraces(paths, (trace) => {
    count++
    if (!isMeant(trace, count, selector)) return
    found ??= trace
    if (ids.length < 5) ids.push(trace.id)
  })
  if (found === undefined) {
    throw new Fault(`there is no trace ${harmless(text)}`, {
      exit: EXIT.notFound,
      code: 'no_such_trace',
      why: `the files have ${count === 1 ? 'one trace' : `${count} traces`}, and it is none of them`,
    })
  }
  if (ids.length > 1) {
    throw new Fault(`several traces have ${harmless(text)} in their id`, {
      exit: EXIT.usage,
      code: 'ambiguous_trace',
      meant: ids,
    })
  }
  return { trace: found, problems }
}

function isMeant({ id }: Trace, number: number, selector: Selector): boolean {
  return 'number' in selector
    ? number === selector.number
    : id.toLowerCase().includes(selector.idPart)
}
