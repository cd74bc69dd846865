import assert from 'node:assert/strict'
import type { Sink } from 'clew/profile'
import { eventually } from 'clew/testing'
import {
  type CallNode,
  type CallTree,
  callTree,
  encodeTrace,
  parseTraces,
  type Trace,
} from 'clew/trace'

/** A sink that keeps what it is given. */
export class KeptTraces implements Sink {
  readonly traces: Trace[] = []
  readonly counts = { taken: 0, written: 0, dropped: 0 }
  take(trace: Trace): void {
    this.traces.push(trace)
  }
  async flush() {}
  async close() {}

  /** The trees as a reader finds them in a file, where what came later is joined. */
  get trees(): readonly CallTree[] {
    return parseTraces(this.traces.map(encodeTrace).join('')).traces.map((trace) => callTree(trace))
  }

  /** The first tree that is as asked for, when it is. */
  until(wanted: (tree: CallTree) => boolean, timeoutMs?: number): Promise<CallTree> {
    return eventually(() => {
      const found = this.trees.find(wanted)
      assert.ok(found, `none of ${this.traces.length} traces is as asked for`)
      return found
    }, timeoutMs)
  }
}

/** All calls of a tree, each before those it made. */
export function* everyCall(call: CallNode): Generator<CallNode> {
  yield call
  for (const child of call.calls) yield* everyCall(child)
}

/** A tree's methods, indented by depth. */
export function outlineOf({ root }: CallTree): readonly string[] {
  const lines = (call: CallNode, depth: number): string[] => [
    `${'  '.repeat(depth)}${call.method}`,
    ...call.calls.flatMap((child) => lines(child, depth + 1)),
  ]
  return lines(root, 0)
}
