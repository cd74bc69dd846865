import { writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { type CallTree, callTree, encodeTrace, stragglers } from 'clew/trace'
import { EXIT } from '../exit.ts'
import { Fault, fileFault } from '../fault.ts'
import { type FirstFailure, firstFailure } from '../first-failure.ts'
import { makeDirectory } from '../make-directory.ts'
import { drawPicture } from '../picture.ts'
import { findStraggler, type StragglerFinding } from './find-straggler.ts'
import type { Shop } from './open-shop.ts'

/** What the demo has shown. */
export interface Tour {
  /** The files written, in the order of the demo. */
  readonly files: readonly string[]
  readonly straggler: StragglerFinding & { readonly tree: CallTree }
  readonly failure: FirstFailure & { readonly tree: CallTree }
}

/**
 * Makes the two calls, writes their traces and pictures into a directory.
 * @throws Fault when the directory cannot be written to
 */
export async function tour(shop: Shop, directory: string): Promise<Tour> {
  await makeDirectory(directory)
  // The first calls of a process pay for compilation and connections, which is not what is shown.
  await shop.search()
  await shop.order()
  const search = await clearSearch(shop)
  const order = await shop.order()
  const searchTree = callTree(search.trace)
  const orderTree = callTree(order.trace)
  const failure = firstFailure(orderTree)
  if (search.error !== undefined || failure === undefined) {
    throw new Fault('the demo did not go as it should', {
      exit: EXIT.failed,
      code: 'demo',
      why: search.error?.message ?? 'the bank did not fail',
      cause: search.error,
    })
  }
  const style = { view: 'tree' } as const
  const contents: readonly (readonly [string, string | Promise<Uint8Array | string>])[] = [
    ['straggler.trace.jsonl', encodeTrace(search.trace)],
    ['straggler.png', drawPicture('straggler.png', searchTree, style)],
    ['straggler.svg', drawPicture('straggler.svg', searchTree, style)],
    ['failure.trace.jsonl', encodeTrace(order.trace)],
    ['failure.png', drawPicture('failure.png', orderTree, style)],
  ]
  const files: string[] = []
  for (const [name, content] of contents) {
    const path = join(directory, name)
    files.push(path)
    const drawn = await content
    await writeFile(path, drawn).catch((error: unknown) => {
      throw fileFault('write', path, error)
    })
  }
  return {
    files,
    straggler: { ...findStraggler(searchTree), tree: searchTree },
    failure: { ...failure, tree: orderTree },
  }
}

/** On a busy machine other shards stall too, and no straggler stands out. */
const MOST_SEARCHES = 8

/** The first search whose straggler stands out; the last one where none does. */
async function clearSearch(shop: Shop): ReturnType<Shop['search']> {
  let search = await shop.search()
  const most = shop.delayMs > 0 ? MOST_SEARCHES : 1
  for (let made = 1; made < most && search.error === undefined; made++) {
    if (stragglers(callTree(search.trace)).length > 0) break
    search = await shop.search()
  }
  return search
}

/** A path as somebody in this directory would type it. */
export function typed(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') || isAbsolute(short) ? path : short
}
