import type { Connection, Plugin } from '../call/index.ts'

/**
 * Closes the connection and stops the plugins, the last one first, whatever they throw: when no call
 * comes any more, and what they have left can still be sent.
 */
export async function stopPlugins(
  plugins: readonly Plugin[],
  connection: Connection,
): Promise<void> {
  const thrown: unknown[] = []
  let stopped = false
  const stopAll = async () => {
    stopped = true
    for (const plugin of plugins.toReversed()) {
      try {
        await plugin.stop?.()
      } catch (error) {
        thrown.push(error)
      }
    }
  }
  await connection.close(stopAll).catch((error: unknown) => thrown.push(error))
  // A connection that had been closed before has nobody to wait for.
  if (!stopped) await stopAll()
  if (thrown.length > 0) throw thrown[0]
}
