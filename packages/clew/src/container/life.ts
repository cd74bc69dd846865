import type { Extension } from '../service/index.ts'

type Act = (extension: Extension) => Promise<void> | void

/** Acts on extensions, all at once, each after what it is made of. */
export async function up(extensions: Iterable<Extension>, act: Act): Promise<void> {
  await Promise.all(
    Array.from(extensions, async (extension) => {
      if (extension.parts.length > 0) await up(extension.parts, act)
      await act(extension)
    }),
  )
}

/** Acts on extensions, all at once, each before what it is made of. */
export async function down(extensions: Iterable<Extension>, act: Act): Promise<void> {
  await Promise.all(
    Array.from(extensions, async (extension) => {
      try {
        await act(extension)
      } finally {
        if (extension.parts.length > 0) await down(extension.parts, act)
      }
    }),
  )
}
