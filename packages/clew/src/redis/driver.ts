/** One command of Redis, by its lower-case name. */
export interface RedisCommand {
  readonly name: string
  readonly args: readonly unknown[]
}

/** How commands reach a Redis: one for each dependency. */
export interface RedisDriver {
  /** Opens what it needs; commands may be sent before. Rejects when Redis cannot be reached. */
  open(): Promise<void>
  /** Rejects with whatever the library throws. */
  send(command: RedisCommand): Promise<unknown>
  /** Sends commands in one go; atomic: as a transaction. The first error of any is thrown. */
  batch(commands: readonly RedisCommand[], atomic: boolean): Promise<readonly unknown[]>
  /** The keys among a command's arguments. */
  keysOf(command: RedisCommand): readonly string[]
  close(): Promise<void>
}
