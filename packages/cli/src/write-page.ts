import { renderHtml } from '@clew/render/html'
import { type CallTree, type CallTreeOptions, callTree, type TraceProblem } from 'clew/trace'
import { type Chosen, readChosen } from './chosen-trace.ts'
import { WriteTarget } from './write-target.ts'

/** Traces beyond are not in the page, which says so: a list of thousands helps nobody. */
const MOST_TRACES = 500

export interface WrittenPage {
  readonly traces: number
  readonly calls: number
  readonly bytes: number
  readonly problems: readonly TraceProblem[]
}

/**
 * Writes the traces of files, or the one that is asked for, as one self-contained page, which appears
 * under its name when it is whole.
 * @throws Fault when the file cannot be read or the page not be written
 */
export async function writePage(
  chosen: Chosen,
  out: string,
  options: CallTreeOptions = {},
): Promise<WrittenPage> {
  const trees: CallTree[] = []
  const problems = await readChosen(chosen, (trace) => {
    // One more than fit tells the page that there are more; the rest need not be kept.
    if (trees.length <= MOST_TRACES) trees.push(callTree(trace, options))
  })
  const page = renderHtml(trees, { maxTraces: MOST_TRACES })
  const target = new WriteTarget(out)
  try {
    target.write(page)
    target.finish()
  } catch (error) {
    target.abandon()
    throw error
  }
  const calls = trees.reduce((sum, tree) => sum + tree.calls, 0)
  return { traces: trees.length, calls, bytes: target.bytes, problems }
}
