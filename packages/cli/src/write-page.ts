import { writeFile } from 'node:fs/promises'
import { renderHtml } from '@clew/render/html'
import { type CallTree, callTree, type TraceProblem } from 'clew/trace'
import { readAllTraces } from './all-traces.ts'
import { fileFault } from './fault.ts'
import { parseSelector, readTraceFile } from './trace-file.ts'

/** Traces beyond are not in the page, which says so: a list of thousands helps nobody. */
const MOST_TRACES = 500

export interface WrittenPage {
  readonly traces: number
  readonly calls: number
  readonly bytes: number
  readonly problems: readonly TraceProblem[]
}

/**
 * Writes the traces of a file, or the one that is asked for, as one self-contained page.
 * @throws Fault when the file cannot be read or the page not be written
 */
export async function writePage(
  path: string,
  which: string | undefined,
  out: string,
): Promise<WrittenPage> {
  const { trees, problems } = await treesOf(path, which)
  const page = renderHtml(trees, { maxTraces: MOST_TRACES })
  try {
    await writeFile(out, page)
  } catch (error) {
    throw fileFault('write', out, error)
  }
  const calls = trees.reduce((sum, tree) => sum + tree.calls, 0)
  return { traces: trees.length, calls, bytes: Buffer.byteLength(page), problems }
}

async function treesOf(path: string, which: string | undefined) {
  const trees: CallTree[] = []
  if (which === undefined) {
    const problems = await readAllTraces([path], (trace) => {
      // One more than fit tells the page that there are more; the rest need not be kept.
      if (trees.length <= MOST_TRACES) trees.push(callTree(trace))
    })
    return { trees, problems }
  }
  const { trace, problems } = await readTraceFile(path, parseSelector(which))
  if (trace !== undefined) trees.push(callTree(trace))
  return { trees, problems }
}
