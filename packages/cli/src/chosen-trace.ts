import { existsSync } from 'node:fs'
import type { Trace, TraceProblem } from 'clew/trace'
import { readAllTraces } from './all-traces.ts'
import { parseSelector, readTraceFile } from './trace-file.ts'

/** Files, and which of their traces is meant. */
export interface Chosen {
  readonly paths: readonly string[]
  /** Its number in the list of `clew show`, or a part of its id; undefined: all of them. */
  readonly which: string | undefined
}

/** A number, or what could be a part of an id; names of files seldom look like that. */
const LIKE_A_TRACE = /^(?:\d{1,7}|[\da-f]{4,64})$/i

/**
 * What `FILE… [N|ID]` means: the last of several words is a trace where `--trace` names none, the word
 * looks like one, and no file is called so.
 */
export function chosenOf(words: readonly string[], flag: string | undefined): Chosen {
  const last = words.at(-1)
  if (flag !== undefined || last === undefined || words.length === 1) {
    return { paths: words, which: flag }
  }
  const isTrace = LIKE_A_TRACE.test(last) && !existsSync(last)
  return isTrace ? { paths: words.slice(0, -1), which: last } : { paths: words, which: undefined }
}

/**
 * Reads the one trace that is meant, else all.
 * @param take told of each trace, once
 * @throws Fault when there is no such trace (exit code 3) or there are several (exit code 2), and as
 *   `readAllTraces` does
 */
export async function readChosen(
  { paths, which }: Chosen,
  take: (trace: Trace) => void,
): Promise<readonly TraceProblem[]> {
  if (which === undefined) return await readAllTraces(paths, take)
  const { trace, problems } = await readTraceFile(paths, parseSelector(which))
  if (trace !== undefined) take(trace)
  return problems
}
