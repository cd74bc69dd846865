import type { Trace, TraceProblem } from 'clew/trace'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'
import { Joining } from './joining.ts'
import { problemsOf } from './problems-of-files.ts'
import { readDocuments } from './read-documents.ts'
import { nothingReadable } from './trace-file.ts'
import { tracePaths } from './trace-paths.ts'

/**
 * Reads all traces of several files and directories, in any format, as one: what several processes wrote of a trace is joined, wherever
 * it stands, as long as no more than two million entries are held, or 250,000 of a single file.
 * @param take told of each trace, once
 * @returns what could not be read, with the names of the files where there are several
 * @throws Fault when a file cannot be opened, or in none of them anything could be read (exit code 7)
 */
export async function readAllTraces(
  paths: readonly string[],
  take: (trace: Trace) => void,
): Promise<readonly TraceProblem[]> {
  const single = (await tracePaths(paths)).length === 1
  const joining = new Joining(take, single)
  const documents = await readDocuments(paths, (trace) => joining.add(trace))
  const problems = problemsOf(documents)
  if (joining.parts === 0 && documents.length <= 1) {
    throw nothingReadable(documents[0] === undefined ? paths : [documents[0].path], problems)
  }
  if (joining.parts === 0) {
    const why = problems.slice(0, 3).map(({ message }) => message)
    const message = `nothing in ${documents.length} files could be read as a trace`
    throw new Fault(message, { exit: EXIT.partial, code: 'no_trace', why: why.join('\n') })
  }
  joining.end()
  return problems
}
