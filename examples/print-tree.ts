import { renderText } from '@clew/render'
import { callTree, type Trace } from 'clew/trace'

/** Prints a trace's call tree as `clew show` does. */
export function printTree(trace: Trace): void {
  const { isTTY, columns = 100 } = process.stdout
  console.log(renderText(callTree(trace), { width: columns, color: isTTY === true }))
}
