import { createGunzip, createZstdDecompress } from 'node:zlib'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'

/** How large a compressed file may become. */
export interface InflateBounds {
  /** Bytes at most. */
  readonly maxBytes: number
  /** Times its own size at most, once it is larger than 64 MiB. */
  readonly maxRatio: number
}

/** No trace file that is known comes near it: 200 times smaller is already nothing but repetition. */
const BOUNDS: InflateBounds = { maxBytes: 64 * 2 ** 30, maxRatio: 1_000 }
const RATIO_FROM = 64 * 2 ** 20

/** Variable of the environment that raises both bounds: bytes, or `500M`, `100G`, `2T`. */
const VARIABLE = 'CLEW_MAX_INFLATED'

export function inflateBounds(env: Readonly<Record<string, string | undefined>>): InflateBounds {
  const text = env[VARIABLE]
  if (text === undefined || text === '') return BOUNDS
  const [, digits, unit] = /^(\d{1,15})([KMGT]?)$/i.exec(text) ?? []
  if (digits === undefined || unit === undefined) {
    throw new Fault(`${VARIABLE} is ${JSON.stringify(text)}`, {
      exit: EXIT.usage,
      code: 'usage',
      why: 'it is a number of bytes, such as 500M or 100G',
    })
  }
  const power = ['', 'K', 'M', 'G', 'T'].indexOf(unit.toUpperCase())
  return { maxBytes: Number(digits) * 1024 ** power, maxRatio: Number.POSITIVE_INFINITY }
}

/** A compressed file that is damaged, or cut off. */
export class DamagedFile extends Error {}

/**
 * The bytes of a file, inflated where its first bytes say that it is gzip or zstd.
 * @throws DamagedFile when it is neither whole nor right
 * @throws Fault when it becomes larger than the bounds allow (exit code 7)
 */
export async function* inflated(
  source: AsyncIterable<Uint8Array>,
  name: string,
  bounds: InflateBounds,
): AsyncGenerator<Uint8Array> {
  const input = source[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let size = 0
  for (; size < 4; ) {
    const next = await input.next()
    if (next.done === true) break
    head.push(next.value)
    size += next.value.length
  }
  const kind = kindOf(Buffer.concat(head))
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield* head
    for (let next = await input.next(); next.done !== true; next = await input.next())
      yield next.value
  }
  if (kind === undefined) yield* whole()
  else yield* inflate(whole(), kind, name, bounds)
}

type Kind = 'gzip' | 'zstd'

function kindOf(bytes: Uint8Array): Kind | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  const zstd = bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd
  return zstd ? 'zstd' : undefined
}

async function* inflate(
  source: AsyncIterable<Uint8Array>,
  kind: Kind,
  name: string,
  { maxBytes, maxRatio }: InflateBounds,
): AsyncGenerator<Uint8Array> {
  const engine = kind === 'gzip' ? createGunzip() : createZstdDecompress()
  let read = 0
  const feeding = (async () => {
    try {
      for await (const bytes of source) {
        read += bytes.length
        if (engine.destroyed) return
        if (!engine.write(bytes))
          await new Promise((go) => engine.once('drain', go).once('close', go))
      }
      engine.end()
    } catch (error) {
      engine.destroy(error as Error)
    }
  })()
  let written = 0
  try {
    for await (const bytes of engine as AsyncIterable<Uint8Array>) {
      written += bytes.length
      const large = written > maxBytes || (written > RATIO_FROM && written > read * maxRatio)
      if (large) throw tooLarge(name, read, written, maxBytes)
      yield bytes
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!/^(Z_|ZSTD_|ERR_)/.test(code)) throw error
    throw new DamagedFile(`damaged, or cut off: ${(error as Error).message} (${kind})`)
  } finally {
    engine.destroy()
  }
  await feeding
}

function tooLarge(name: string, read: number, written: number, maxBytes: number): Fault {
  const why =
    written > maxBytes
      ? `more than ${maxBytes} bytes`
      : `${read} bytes became ${written}, which is more than ${BOUNDS.maxRatio} times as many`
  return new Fault(`${name} becomes too large when it is decompressed`, {
    exit: EXIT.partial,
    code: 'too_large',
    why: `${why}; it may have been made to fill memory or disk`,
    next: [`${VARIABLE}=100G clew …   if you trust it`],
  })
}
