import type { Load, LoadFigures } from '../harness/load.ts'

/** A peer whose two processes are up. */
export interface RunningPeer {
  /** Calls once. */
  hello(name: string): Promise<string>
  load(load: Load): Promise<LoadFigures>
  /** Processor time of both processes so far, microseconds. */
  processorUs(): Promise<number>
  /** Has traces sent that are still in the processes. */
  flush(): Promise<void>
  stop(): Promise<void>
}

/** 16 characters, the same for everybody. */
export const NAME = '0123456789abcdef'
