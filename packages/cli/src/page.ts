import { columns, cut, padded, printable } from '@clew/render'
import type { ClewContext } from './command.ts'
import { isAsciiOnly } from './print-tree.ts'
import { wrap } from './wrap.ts'

export interface PageColumn {
  readonly title: string
  /** @default 'left' */
  readonly side?: 'left' | 'right'
  /** Where the page is too narrow, it gives way down to so many columns. */
  readonly least?: number
  /** Where it is too narrow even so, it is left out, the last such column first. */
  readonly spare?: boolean
}

/** A line of cells, and the words that belong below it. */
export interface PageRow {
  readonly cells: readonly string[]
  readonly below?: readonly string[]
  readonly red?: boolean
}

/** What to type next, and why. */
export interface NextStep {
  readonly command: string
  readonly brief: string
}

type Style = 'plain' | 'bold' | 'dim' | 'yellow'

const GAP = '  '
const INDENT = '  '
/** No line of a page is wider, however wide the terminal. */
const WIDEST = 110
const NARROWEST = 40

/** Text in sections, of aligned tables and sentences; harmless to a terminal whatever the names in it. */
export class Page {
  readonly #output: ClewContext['output']
  readonly #unicode: boolean
  readonly #width: number
  #begun = false

  constructor({ output, env }: Pick<ClewContext, 'output' | 'env'>, ascii: boolean) {
    this.#output = output
    this.#unicode = !(ascii || isAsciiOnly(env))
    this.#width = Math.max(NARROWEST, Math.min(WIDEST, output.width))
  }

  /** The first line: what it is about. */
  title(name: string, about: string): void {
    this.#begun = true
    const { bold, dim } = this.#output.paint
    const title = cut(this.#safe(name), this.#width)
    const beside = columns(title) + GAP.length + columns(this.#safe(about)) <= this.#width
    this.#print(beside ? `${bold(title)}${GAP}${dim(this.#safe(about))}` : bold(title))
    if (!beside) this.sentence(about, 'dim')
  }

  heading(text: string): void {
    if (this.#begun) this.#print('')
    this.#begun = true
    this.#print(this.#output.paint.bold(this.#safe(text)))
  }

  sentence(text: string, style: Style = 'plain', indent = INDENT): void {
    this.#begun = true
    const width = this.#width - indent.length
    for (const line of wrap(this.#safe(text), width)) {
      // A word that is wider than the page is cut: sentences quote names of any length.
      const shown = columns(line) > width ? cut(line, width) : line
      const painted = style === 'plain' ? shown : this.#output.paint[style](shown)
      this.#print(`${indent}${painted}`)
    }
  }

  /** A table under a heading, which is the title of its first column. */
  table(all: readonly PageColumn[], rows: readonly PageRow[]): void {
    const shown = rows.map(({ cells }) => cells.map((cell) => this.#safe(cell)))
    // A column of which nothing is known takes no room.
    const filled = all
      .map((_, at) => at)
      .filter((at) => at === 0 || shown.some((row) => row[at] !== ''))
    const widest = all.map((column, at) => {
      const title = columns(this.#safe(column.title)) - (at === 0 ? INDENT.length : 0)
      return shown.reduce((most, cells) => Math.max(most, columns(cells[at]!)), Math.max(1, title))
    })
    const kept = this.#fitting(filled, all, widest)
    const widths = kept.map((at) => widest[at]!)
    const room = this.#width - INDENT.length - GAP.length * (kept.length - 1)
    this.#narrow(
      widths,
      kept.map((at) => this.#leastOf(all, at)),
      room,
    )
    const line = (cells: readonly string[]) =>
      kept.map((at, index) => padded(cells[at]!, widths[index]!, all[at]!.side)).join(GAP)
    const titles = all.map(({ title }) => this.#safe(title))
    const [first = '', ...others] = kept
      .slice(1)
      .map((at, index) => padded(titles[at]!, widths[index + 1]!, all[at]!.side))
    const heading = padded(titles[0]!, widths[0]! + INDENT.length)
    this.heading([heading, first, ...others].join(GAP).trimEnd())
    for (const [at, cells] of shown.entries()) {
      const text = `${INDENT}${line(cells)}`.trimEnd()
      this.#print(rows[at]!.red === true ? this.#output.paint.red(text) : text)
      for (const words of rows[at]!.below ?? []) this.sentence(words, 'dim', INDENT + INDENT)
    }
  }

  /** A bar of at most 12 columns. */
  bar(share: number): string {
    const length = Math.max(1, Math.round(Math.min(1, Math.max(0, share)) * 12))
    return (this.#unicode ? '█' : '#').repeat(length)
  }

  /** Without the spare columns that do not fit, were all others as narrow as they may be. */
  #fitting(
    filled: readonly number[],
    all: readonly PageColumn[],
    widest: readonly number[],
  ): readonly number[] {
    const kept = [...filled]
    const least = (at: number) => Math.min(widest[at]!, this.#leastOf(all, at) ?? widest[at]!)
    const total = () => kept.reduce((sum, at) => sum + least(at) + GAP.length, 0)
    while (total() > this.#width) {
      const spare = kept.findLastIndex((at) => all[at]!.spare === true)
      if (spare < 0) break
      kept.splice(spare, 1)
    }
    return kept
  }

  /** The first title is that of the table, and said in full. */
  #leastOf(all: readonly PageColumn[], at: number): number | undefined {
    const { least, title } = all[at]!
    if (least === undefined || at > 0) return least
    return Math.max(least, columns(this.#safe(title)) - INDENT.length)
  }

  #narrow(widths: number[], least: readonly (number | undefined)[], room: number): void {
    const total = () => widths.reduce((sum, width) => sum + width, 0)
    for (let excess = total() - room; excess > 0; excess = total() - room) {
      let widest = -1
      for (const [at, width] of widths.entries()) {
        if (width > (least[at] ?? width) && (widest < 0 || width > widths[widest]!)) widest = at
      }
      if (widest < 0) return
      widths[widest] = Math.max(least[widest]!, widths[widest]! - excess)
    }
  }

  /** Lines to be typed, as they are, and why: beside them where all fit, else below. */
  steps(steps: readonly NextStep[]): void {
    if (steps.length === 0) return
    this.heading('NEXT')
    const lines = steps.map(
      ({ command, brief }) => [this.#safe(command), this.#safe(brief)] as const,
    )
    const widest = lines.reduce((most, [typed]) => Math.max(most, columns(typed)), 0)
    const beside = lines.every(
      ([, why]) => INDENT.length + widest + GAP.length + columns(why) <= this.#width,
    )
    for (const [typed, why] of lines) {
      const lead = beside ? padded(typed, widest) + GAP : `${typed}\n${INDENT}${INDENT}`
      this.#print(`${INDENT}${lead}${this.#output.paint.dim(why)}`)
    }
  }

  /** What shortens a name is no ASCII character. */
  #print(text: string): void {
    this.#output.print(this.#unicode ? text : text.replaceAll('…', '~'))
  }

  #safe(text: string): string {
    return printable(text, this.#unicode)
  }
}
