import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { aligned } from './aligned.ts'
import type { Say } from './command.ts'
import { writeSection } from './document.ts'
import type { Output } from './suite-options.ts'

const DOCUMENTS = fileURLToPath(new URL('../../../docs/', import.meta.url))

/** A file's name below the figures' folder, and its SVG. */
export interface Picture {
  readonly file: string
  readonly svg: string
}

/** What a suite found out. */
export interface Outcome {
  /** Also the name of its section of docs/benchmarks.md. */
  readonly suite: string
  /** What `--json` prints. */
  readonly results: object
  /** The results as Markdown. @param figures where pictures lie, seen from the document, if there are any */
  readonly report: (figures: string | undefined) => string
  readonly pictures?: readonly Picture[]
}

/** Prints an outcome, and writes the documents if that is wanted. @returns the exit code */
export async function deliver(
  outcome: Outcome,
  { json, write }: Output,
  say: Say,
): Promise<number> {
  if (write) {
    for (const file of await writeDocuments(outcome, DOCUMENTS)) say(`wrote ${file}`)
  }
  // Pictures that were there before show something else.
  const report = () => aligned(outcome.report(write ? 'docs/figures' : undefined))
  process.stdout.write(`${json ? JSON.stringify(outcome.results) : report()}\n`)
  return 0
}

/** Puts tables and pictures into a folder of documents. Returns what it wrote. */
export async function writeDocuments(
  { suite, report, pictures = [] }: Outcome,
  documents: string,
): Promise<readonly string[]> {
  const figures = path.join(documents, 'figures')
  await mkdir(figures, { recursive: true })
  const written: string[] = []
  for (const { file, svg } of pictures) {
    written.push(path.join(figures, file))
    await writeFile(written.at(-1)!, svg)
  }
  const page = path.join(documents, 'benchmarks.md')
  await writeSection(page, suite, report('figures'))
  return [...written, page]
}
