import { readFile, writeFile } from 'node:fs/promises'

/**
 * Puts generated text between the marks of its name in a document, which keeps what people wrote
 * around it.
 * @throws Error when the document lacks the marks
 */
export async function writeSection(file: string, name: string, text: string): Promise<void> {
  await writeFile(file, replaceSection(await readFile(file, 'utf8'), name, text))
}

/** The document with the text between its marks `<!-- {name}:begin -->` and `<!-- {name}:end -->`. */
export function replaceSection(content: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const from = content.indexOf(begin)
  const to = content.indexOf(end)
  if (from < 0 || to < from) {
    throw new Error(`the document has no lines "${begin}" and "${end}" to put the results between`)
  }
  return `${content.slice(0, from + begin.length)}\n${text.trim()}\n${content.slice(to)}`
}
