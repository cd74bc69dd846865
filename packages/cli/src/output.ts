import { type Colors, colors } from './colors.ts'
import type { Fault } from './fault.ts'
import { harmless, harmlessJson, harmlessLines } from './harmless.ts'

/** Version of the envelope of everything that `--json` prints, failures included. */
const SCHEMA = 1
/** Version of what a command puts into it, until one says another. */
const VERSION = 1

/** A JSON value with the versions by which programs know what to expect of it. */
export const versioned = <Value extends object>(value: Value) =>
  ({ schema: SCHEMA, version: VERSION, ...value }) as const

interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface OutputOptions {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly env: Readonly<Record<string, string | undefined>>
  /** `--color` or `--no-color`; undefined when neither was given. */
  readonly color?: boolean | undefined
}

/** Width where the terminal does not tell one. */
const DEFAULT_WIDTH = 100
/** What a line of our own talk may take at most, however wide the terminal. */
const WIDEST_TALK = 100

/** Where a command's words go: stdout carries data only, everything said to a person is stderr. */
export class Output {
  readonly #stdout: Stream
  readonly #stderr: Stream
  /** Colours for stdout and stderr; they return the text as it is where there is no colour. */
  readonly paint: Colors
  readonly paintTalk: Colors
  /** True when colours may be used on stdout. */
  readonly color: boolean
  /** True when a person watches stderr, so that a line may be drawn over. */
  readonly live: boolean
  #printedJson = false

  constructor({ stdout, stderr, env, color }: OutputOptions) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.color = colorful(stdout, env, color)
    this.paint = colors(this.color)
    this.paintTalk = colors(colorful(stderr, env, color))
    this.live = stderr.isTTY === true && env.TERM !== 'dumb'
  }

  /** Columns of the terminal that shows stdout. */
  get width(): number {
    return this.#stdout.columns ?? DEFAULT_WIDTH
  }

  /** Where sentences are broken: only a terminal needs that, and whoever reads a pipe wants them whole. */
  get sentenceWidth(): number {
    return this.#stdout.isTTY === true ? this.width : Number.POSITIVE_INFINITY
  }

  get talkWidth(): number {
    return Math.min(this.#stderr.columns ?? DEFAULT_WIDTH, WIDEST_TALK)
  }

  /** True when the one JSON value of this command has been printed. */
  get printedJson(): boolean {
    return this.#printedJson
  }

  /** Data: a line, or lines, on stdout. */
  print(text: string): void {
    this.#stdout.write(`${text}\n`)
  }

  /** The one JSON value that `--json` promises. */
  printJson(value: object): void {
    this.#printedJson = true
    this.#stdout.write(`${harmlessJson(versioned(value))}\n`)
  }

  /** Talk: a line on stderr. */
  say(text = ''): void {
    this.#stderr.write(`${text}\n`)
  }

  /** Draws over the current line of the terminal; without a terminal nothing is said. */
  sayOver(text: string): void {
    if (this.live) this.#stderr.write(`\r\x1b[2K${text}`)
  }

  /** What went wrong, why, and what to do next. */
  sayFault(fault: Fault): void {
    const { bold, red, dim } = this.paintTalk
    this.say(`${red(bold('error:'))} ${harmlessLines(fault.message)}`)
    if (fault.why !== undefined) {
      this.say(`  ${dim('why:')} ${harmlessLines(fault.why).replaceAll('\n', '\n       ')}`)
    }
    if (fault.meant.length > 0) {
      this.say(`  ${dim('did you mean:')} ${fault.meant.map(harmless).join(', ')}`)
    }
    for (const next of fault.next) this.say(`  ${dim('try:')} ${harmless(next)}`)
  }

  /** The same as the JSON value of a command that failed. */
  printFault(fault: Fault): void {
    if (this.#printedJson) return
    this.printJson({
      error: {
        code: fault.code,
        message: fault.message,
        why: fault.why,
        next: fault.next,
        meant: fault.meant.length > 0 ? fault.meant : undefined,
        ...fault.facts,
      },
    })
  }
}

function colorful(stream: Stream, env: OutputOptions['env'], asked: boolean | undefined): boolean {
  if (asked !== undefined) return asked
  if ((env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb') return false
  return stream.isTTY === true
}
