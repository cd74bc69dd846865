import type { CallTree } from 'clew/trace'
import { outlineOf } from './outline/outline.ts'
import { criticalPathLines } from './text/critical-path.ts'
import { flameLines } from './text/flame.ts'
import { foot } from './text/foot.ts'
import { answer, head } from './text/head.ts'
import type { Page } from './text/page.ts'
import { painter } from './text/paint.ts'
import { table } from './text/table.ts'

/** Ways to print one trace. */
export type TextView = 'tree' | 'flame' | 'critical-path'

export interface TextOptions {
  /**
   * `tree`: a line a call. `flame`: blocks over time, callees below callers. `critical-path`: what the
   * answer waited for, in order of time.
   * @default 'tree'
   */
  readonly view?: TextView | undefined
  /**
   * Columns of the terminal; no line is longer. Host, self time and the strip that shows where in
   * the trace a call lies need room and are left out where there is none.
   * @default 100
   */
  readonly width?: number | undefined
  /**
   * Escape sequences for colours.
   * @default false
   */
  readonly color?: boolean | undefined
  /**
   * Box-drawing characters; otherwise ASCII only, names included.
   * @default true
   */
  readonly unicode?: boolean | undefined
  /**
   * Every call on a line of its own.
   * @default false
   */
  readonly full?: boolean | undefined
  /**
   * Most lines of the tree. What is beyond is folded, as in pictures.
   * @default 200
   */
  readonly maxLines?: number | undefined
  /**
   * Whether to begin with what failed first and where the time went.
   * @default true
   */
  readonly verdict?: boolean | undefined
}

/**
 * The call tree for a terminal: the verdict, a line of figures, then a line a call with its times
 * aligned. Lines end with `\n`. Whatever a name contains, a terminal prints it and nothing else.
 */
export function renderText(tree: CallTree, options: TextOptions = {}): string {
  const { color = false, unicode = true, full = false, maxLines = 200 } = options
  const width = Math.max(40, options.width ?? 100)
  const levels = Math.max(4, Math.floor((width - 52) / 4))
  const outline = outlineOf(tree, {
    maxPlaces: Math.max(1, maxLines),
    maxLevels: full ? Number.POSITIVE_INFINITY : levels + 1,
    minShare: 0.01,
    full,
  })
  const page: Page = { tree, outline, width, levels, unicode, paint: painter(color) }
  const { verdict = true, view = 'tree' } = options
  const body = bodyOf(page, view, full)
  const lines = [...(verdict ? answer(page) : []), ...head(page), ...body]
  const text = lines.map((line) => `${line.trimEnd()}\n`).join('')
  // Names are in ASCII by now: what is left are the ellipses of our own, which must keep their width.
  return unicode ? text : text.replaceAll('…', '~')
}

function bodyOf(page: Page, view: TextView, full: boolean): readonly string[] {
  switch (view) {
    case 'tree':
      return [...table(page), ...foot(page)]
    case 'flame':
      return [...flameLines(page), ...foot(page, false)]
    case 'critical-path':
      return criticalPathLines(page, full)
  }
}
