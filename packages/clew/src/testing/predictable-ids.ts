import { drawIdsFrom } from '../call/index.ts'

/**
 * Ids that count up from 1 in place of random ones, in this process, until disposed:
 * `00000000-0000-4001-8000-000000000002`, `…4003-8000-000000000004`. With calls that follow one another
 * the same test then has the same ids in each run (Nameko's `predictable_call_ids`).
 * `using _ids = predictableIds()`
 */
export function predictableIds(): Disposable {
  let count = 0n
  const restore = drawIdsFrom((bytes) => {
    const halves = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 8 <= bytes.length; at += 8) {
      count += 1n
      halves.setBigUint64(at, count)
    }
  })
  return { [Symbol.dispose]: restore }
}
