import { renderText, type TextView } from '@clew/render'
import type { CallTree, TraceProblem } from 'clew/trace'
import type { ClewContext } from './command.ts'
import { harmless } from './harmless.ts'

export interface TreeStyle {
  /** @default 'tree' */
  readonly view?: TextView
  /** Columns; by default those of the terminal. */
  readonly width?: number | undefined
  /** Every call on a line of its own. */
  readonly full?: boolean
  /** No characters beyond ASCII. */
  readonly ascii?: boolean
}

/** Prints a call tree on stdout. */
export function printTree(
  { output, env }: ClewContext,
  tree: CallTree,
  style: TreeStyle = {},
): void {
  const text = renderText(tree, {
    view: style.view,
    width: style.width ?? output.width,
    color: output.color,
    unicode: !(style.ascii ?? isAsciiOnly(env)),
    full: style.full ?? false,
  })
  output.print(text.replace(/\n$/, ''))
}

/** Locales that name another encoding than UTF-8; `C` and nothing at all say nothing about the terminal. */
export function isAsciiOnly(env: ClewContext['env']): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  const encoding = /\.([^@]+)/.exec(locale)?.[1]
  return env.TERM === 'linux' || (encoding !== undefined && !/^utf-?8$/i.test(encoding))
}

/** Says on stderr what of a file could not be read. */
export function sayProblems({ output }: ClewContext, problems: readonly TraceProblem[]): void {
  const yellow = output.paintTalk.yellow('warning:')
  for (const { message } of problems.slice(0, 3)) output.say(`${yellow} ${harmless(message)}`)
  if (problems.length > 3) output.say(`${yellow} and ${problems.length - 3} more problems`)
}
