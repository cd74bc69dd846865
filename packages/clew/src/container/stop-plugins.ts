import type { Connection, Plugin } from '../call/index.ts'

/** Stops plugins, the last one first, and closes the connection, whatever they throw. */
export async function stopPlugins(
  plugins: readonly Plugin[],
  connection: Connection,
): Promise<void> {
  const thrown: unknown[] = []
  for (const plugin of plugins.toReversed()) {
    try {
      await plugin.stop?.()
    } catch (error) {
      thrown.push(error)
    }
  }
  await connection.close()
  if (thrown.length > 0) throw thrown[0]
}
