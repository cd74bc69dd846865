import type { Colors } from './colors.ts'
import type { ClewCommand, Example } from './command.ts'
import { wrap } from './wrap.ts'

export interface HelpStyle {
  readonly paint: Colors
  readonly width: number
}

/** Flags that every command has. */
const EVERYWHERE: readonly Row[] = [
  ['    --color', 'colours even where nobody watches; --no-color: never'],
  ['-h, --help', 'this text'],
]

type Row = readonly [term: string, meaning: string]

/** `clew --help`. */
export function helpOfAll(
  commands: ReadonlyMap<string, ClewCommand>,
  examples: readonly Example[],
  style: HelpStyle,
): string {
  const rows = [...commands].map(([name, { help }]): Row => [name, help.brief])
  return sections([
    exampleLines(examples, style),
    table('COMMANDS', rows, style),
    table('FLAGS', [...EVERYWHERE, ['-v, --version', 'the version']], style),
    wrap('clew COMMAND --help tells more about each of them.', style.width),
  ])
}

/** `clew COMMAND --help`. */
export function helpOfCommand(name: string, command: ClewCommand, style: HelpStyle): string {
  const { usage, brief, examples, description = [] } = command.help
  return sections([
    exampleLines(examples, style),
    heading('USAGE', style, [`  clew ${name} ${usage}`.trimEnd()]),
    ...[`${brief}.`, ...description].map((paragraph) => wrap(paragraph, style.width)),
    table('ARGUMENTS', argumentRows(command), style),
    table('FLAGS', [...flagRows(command), ...EVERYWHERE], style),
  ])
}

function exampleLines(examples: readonly Example[], style: HelpStyle): readonly string[] {
  const lines = examples.flatMap(({ input, brief }) => [
    `  ${style.paint.bold(`clew ${input}`)}`,
    ...wrap(brief, style.width - 6).map((line) => style.paint.dim(`      ${line}`)),
  ])
  return heading('EXAMPLES', style, lines)
}

type Parameters = ClewCommand['parameters']
type Flag = NonNullable<Parameters['flags']>[string]

function flagRows({ parameters }: ClewCommand): readonly Row[] {
  const letters = new Map(
    Object.entries(parameters.aliases ?? {}).map(([letter, name]) => [name, letter]),
  )
  return Object.entries(parameters.flags ?? {})
    .filter(([, flag]) => !('hidden' in flag && flag.hidden))
    .map(([name, flag]): Row => {
      const letter = letters.get(name)
      const value = placeholderOf(flag)
      const term = `${letter === undefined ? '   ' : `-${letter},`} --${kebab(name)}${value}`
      return [term, `${flag.brief}${defaultOf(flag)}`]
    })
}

function placeholderOf(flag: Flag): string {
  if (flag.kind === 'boolean' || flag.kind === 'counter') return ''
  if (flag.kind === 'enum') return ` ${flag.values.join('|')}`
  const placeholder = flag.placeholder ?? 'VALUE'
  return flag.inferEmpty ? `[=${placeholder}]` : ` ${placeholder}`
}

function defaultOf(flag: Flag): string {
  return 'default' in flag && flag.default !== undefined && flag.kind !== 'boolean'
    ? ` (default ${String(flag.default)})`
    : ''
}

function argumentRows({ parameters: { positional } }: ClewCommand): readonly Row[] {
  if (positional === undefined) return []
  const list = positional.kind === 'array' ? [positional.parameter] : positional.parameters
  return list.map((parameter): Row => {
    const name = parameter.placeholder ?? 'ARG'
    const shown = positional.kind === 'array' ? `${name} …` : name
    return [parameter.optional ? `[${shown}]` : shown, parameter.brief]
  })
}

/** A flag as it is typed. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function heading(title: string, { paint }: HelpStyle, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [paint.bold(title), ...lines]
}

/** Terms left, meanings right; below each other where the terminal is narrow. */
function table(title: string, rows: readonly Row[], style: HelpStyle): readonly string[] {
  const column = Math.max(...rows.map(([term]) => term.length), 0) + 4
  const stacked = style.width - column < 30
  const lines = rows.flatMap(([term, meaning]) => {
    const indent = stacked ? 8 : column
    const wrapped = wrap(meaning, style.width - indent)
    const first = style.paint.bold(term)
    if (stacked) return [`  ${first}`, ...wrapped.map((line) => ' '.repeat(indent) + line)]
    const [head = '', ...rest] = wrapped
    const gap = ' '.repeat(column - 2 - term.length)
    return [`  ${first}${gap}${head}`, ...rest.map((line) => ' '.repeat(indent) + line)]
  })
  return heading(title, style, lines)
}

function sections(all: readonly (readonly string[])[]): string {
  return all
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}
