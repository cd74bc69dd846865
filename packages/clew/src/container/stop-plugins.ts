import type { Connection, Plugin } from '../call/index.ts'

/** Closes the connection, then stops plugins, the last one first, whatever they throw: no call comes after. */
export async function stopPlugins(
  plugins: readonly Plugin[],
  connection: Connection,
): Promise<void> {
  const thrown: unknown[] = []
  await connection.close().catch((error: unknown) => thrown.push(error))
  for (const plugin of plugins.toReversed()) {
    try {
      await plugin.stop?.()
    } catch (error) {
      thrown.push(error)
    }
  }
  if (thrown.length > 0) throw thrown[0]
}
