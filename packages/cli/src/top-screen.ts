import type { MapAnswer } from '@clew/collector/client'
import type { ClewContext } from './command.ts'
import { Fault } from './fault.ts'
import { harmless } from './harmless.ts'
import { type Sort, type TopStyle, topLines } from './top-page.ts'

export interface TopWatch extends TopStyle {
  readonly everyMs: number
  readonly first: MapAnswer
  readonly ask: (signal: AbortSignal) => Promise<MapAnswer>
}

const ALTERNATE_SCREEN = '\x1b[?1049h\x1b[?25l'
const USUAL_SCREEN = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const TO_END_OF_LINE = '\x1b[K'
const TO_END_OF_SCREEN = '\x1b[J'

const KEYS: ReadonlyMap<string, Sort> = new Map([
  ['t', 'time'],
  ['f', 'failures'],
  ['r', 'rate'],
  ['p', 'p99'],
  ['n', 'name'],
])

/** Shows services on the whole terminal, again and again, until q or Ctrl-C. */
export async function watchTop(context: ClewContext, watch: TopWatch): Promise<void> {
  const { stdout, stdin } = process
  const ended = new AbortController()
  let { sort, first: answer } = watch
  let trouble = ''
  const draw = () => {
    const height = (stdout.rows ?? 24) - 1
    const lines = topLines(context, answer, { ...watch, sort }, height)
    const keys = `t time  f failures  r rate  p p99  n name  q end${trouble === '' ? '' : `   ${trouble}`}`
    const shown = [...lines.slice(0, height), context.output.paint.dim(keys)]
    // Lines are drawn over those before, so that nothing flickers.
    stdout.write(`${HOME}${shown.join(`${TO_END_OF_LINE}\n`)}${TO_END_OF_LINE}${TO_END_OF_SCREEN}`)
  }
  const onKey = (key: Buffer) => {
    const letter = key.toString()
    if (letter === 'q' || letter === '\x03' || letter === '\x04') ended.abort()
    const chosen = KEYS.get(letter)
    if (chosen === undefined) return
    sort = chosen
    draw()
  }
  const restore = () => stdout.write(USUAL_SCREEN)
  const onSignal = () => ended.abort()
  stdin.setRawMode(true)
  stdin.on('data', onKey)
  stdout.on('resize', draw)
  process.on('SIGTERM', onSignal)
  process.once('exit', restore)
  stdout.write(ALTERNATE_SCREEN)
  try {
    draw()
    while (!ended.signal.aborted) {
      await pause(watch.everyMs, ended.signal)
      try {
        if (!ended.signal.aborted) answer = await watch.ask(ended.signal)
        trouble = ''
      } catch (error) {
        if (!(error instanceof Fault)) break
        trouble = harmless(error.message)
      }
      if (!ended.signal.aborted) draw()
    }
  } finally {
    stdin.setRawMode(false)
    stdin.off('data', onKey)
    stdin.pause()
    stdout.off('resize', draw)
    process.off('SIGTERM', onSignal)
    process.off('exit', restore)
    restore()
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
