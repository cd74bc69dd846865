import { readFile, writeFile } from 'node:fs/promises'
import type { Figures } from './figures.ts'

/** What was accepted, and with which Node, which decides what is allocated. */
export interface Baseline {
  readonly schema: 1
  readonly node: string
  readonly figures: Figures
}

/** @throws Error when the file is not what `writeBaseline` writes; what it lacks is accepted by nobody */
export async function readBaseline(file: string): Promise<Baseline> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return { schema: 1, node: process.version, figures: {} }
  const baseline = JSON.parse(text) as Partial<Baseline>
  const { schema, node, figures } = baseline
  const numbers = Object.values(figures ?? {}).every((value) => Number.isFinite(value))
  if (schema === 1 && typeof node === 'string' && figures !== undefined && numbers) {
    return { schema, node, figures }
  }
  throw new Error(`${file} is no baseline of this version; --accept writes one`)
}

/** Rounded, so that what differs by nothing leaves the file as it is. */
export async function writeBaseline(file: string, figures: Figures): Promise<void> {
  const rounded = Object.entries(figures).map(([name, value]) => [
    name,
    Math.round(value * (value < 100 ? 100 : 1)) / (value < 100 ? 100 : 1),
  ])
  const baseline: Baseline = {
    schema: 1,
    node: process.version,
    figures: Object.fromEntries(rounded),
  }
  await writeFile(file, `${JSON.stringify(baseline, undefined, 2)}\n`)
}
