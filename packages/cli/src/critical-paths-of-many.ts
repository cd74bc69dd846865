import { type Chosen, readChosen } from './chosen-trace.ts'
import type { ClewContext } from './command.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { Fault } from './fault.ts'
import type { WrittenChange } from './what-if.ts'

export interface ManyPaths {
  readonly tree: boolean
  readonly whatIf: WrittenChange | undefined
  readonly ascii: boolean
  readonly json: boolean
}

/**
 * `clew critical-path --tree` and `--what-if`: what call paths cost over all traces, and what would be
 * if a part took another time.
 * @throws Fault where there is no request, or no call is meant by the change
 */
export async function tellManyPaths(
  context: ClewContext,
  { tree, whatIf, ascii, json }: ManyPaths,
  chosen: Chosen,
): Promise<ExitCode> {
  const { CallPaths, callTree, WhatIf } = await import('clew/trace')
  const { callPathsJson, tellCallPaths } = await import('./call-paths-page.ts')
  const { checkConcerned, tellWhatIf } = await import('./what-if.ts')
  const population = new CallPaths()
  const imagined = whatIf === undefined ? undefined : new WhatIf(whatIf.change)
  let rootMs = 0
  const problems = await readChosen(chosen, (trace) => {
    const each = callTree(trace)
    rootMs += each.totalMs
    population.add(each)
    imagined?.add(each)
  })
  if (population.traces === 0) {
    throw new Fault('there is no request whose duration is known', {
      ...{ exit: EXIT.partial, code: 'no_request' },
    })
  }
  const answer = imagined?.answer
  if (whatIf !== undefined && answer !== undefined) checkConcerned(whatIf, answer)
  if (json) {
    const { toMicroseconds } = await import('./analysis-json.ts')
    context.output.printJson({
      traces: population.traces,
      ...toMicroseconds({
        rootMs,
        ...(whatIf && { whatIf: { change: whatIf.text, ...whatIf.change, ...answer } }),
      }),
      ...(tree && callPathsJson(population)),
    })
  } else {
    const { Page } = await import('./page.ts')
    const page = new Page(context, ascii)
    if (whatIf !== undefined && answer !== undefined) tellWhatIf(page, whatIf, answer)
    if (tree) tellCallPaths(page, population)
  }
  const { sayProblems } = await import('./print-tree.ts')
  sayProblems(context, problems)
  return EXIT.ok
}
