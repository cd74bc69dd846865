import { getHeapStatistics } from 'node:v8'
import { Collections } from './collections.ts'

const YOUNG_MB = 128
const ATTEMPTS = 3

/**
 * Node's flags for processes in which `allocatedBy` counts: nothing is collected between two looks, and
 * what is compiled when, which decides what is allocated at all, depends on what ran before, not on
 * how busy the machine is.
 */
export const COUNTING_FLAGS: readonly string[] = [
  '--expose-gc',
  `--min-semi-space-size=${YOUNG_MB}`,
  `--max-semi-space-size=${YOUNG_MB}`,
  '--no-concurrent-recompilation',
  '--no-concurrent-sparkplug',
  '--no-flush-bytecode',
  // Between the first compiler and the last: where it stops depends on when timers fire.
  '--no-maglev',
  // What buffers had outside the heap would else be given back while the next work is counted.
  '--single-threaded-gc',
]

let collections: Collections | undefined

/**
 * Bytes that some work allocates: objects, and what buffers have outside the heap. Where something was
 * collected meanwhile, as happens once in a while, the work is done once more.
 * @throws Error in a process without `COUNTING_FLAGS`, and when the work allocates too much at a time
 */
export async function allocatedBy(work: () => unknown): Promise<number> {
  collections ??= new Collections()
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    collectYoung()
    const began = performance.now()
    const before = bytesHeld()
    await work()
    const bytes = bytesHeld() - before
    if ((await collections.latestMs()) < began) return bytes
  }
  throw new Error('too much at a time to be counted: it was collected meanwhile; do less')
}

/** The young generation alone: collecting all would throw away compiled code that is to be measured. */
function collectYoung(): void {
  if (globalThis.gc === undefined) throw new Error('allocations are counted with COUNTING_FLAGS')
  void globalThis.gc({ type: 'minor' })
}

function bytesHeld(): number {
  const { used_heap_size: heap, external_memory: outside } = getHeapStatistics()
  return heap + outside
}
