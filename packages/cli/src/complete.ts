import { type Application, proposeCompletions } from '@stricli/core'
import type { ClewContext } from './command.ts'

/**
 * What a shell may put in place of the last word: a line each, with a tab and the meaning behind it.
 * Nothing where a file is expected; shells know those better.
 */
export async function complete(
  app: Application<ClewContext>,
  context: ClewContext,
  words: readonly string[],
): Promise<readonly string[]> {
  const partial = words.at(-1) ?? ''
  try {
    const proposals = await proposeCompletions(app, [...words.slice(0, -1), partial], context)
    return proposals
      .filter(({ kind }) => kind !== 'argument:flag' || partial.startsWith('-'))
      .map(({ completion, brief }) => `${completion}\t${brief.split(/[:;(]/)[0]!.trim()}`)
  } catch {
    return []
  }
}
