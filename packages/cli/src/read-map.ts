import { writeFile } from 'node:fs/promises'
import { callTree, ServiceMap, type SystemMap, type TraceProblem } from 'clew/trace'
import { type Chosen, readChosen } from './chosen-trace.ts'
import { fileFault } from './fault.ts'

/**
 * Reads the layout of a system from all traces of files, or from one of them.
 * @param raw with times as the clocks of their hosts said, not aligned
 * @throws Fault as `readChosen` does
 */
export async function readMap(
  chosen: Chosen,
  raw = false,
): Promise<{ readonly map: SystemMap; readonly problems: readonly TraceProblem[] }> {
  const sums = new ServiceMap()
  const problems = await readChosen(chosen, (trace) =>
    sums.add(callTree(trace, raw ? { clocks: 'raw' } : {})),
  )
  return { map: sums.map, problems }
}

/** @throws Fault when the file cannot be written */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    throw fileFault('write', path, error)
  }
}
