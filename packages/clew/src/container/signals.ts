import type { Logger } from '../call/index.ts'
import type { Running } from './running.ts'

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** The first SIGTERM or SIGINT stops gracefully, the second kills; listeners go when all is closed. */
export function onSignals(running: Running, log: Logger): void {
  let signalled = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) {
      log({ level: 'warn', message: `${signal} again: killing what still runs` })
      void running.kill().finally(() => process.exit(EXIT_CODES[signal as keyof typeof EXIT_CODES]))
      return
    }
    signalled = true
    log({ level: 'info', message: `${signal}: letting running calls end` })
    running.stop().catch((error: unknown) => {
      log({ level: 'error', message: 'stopping failed', error })
      process.exitCode = 1
    })
  }
  const signals = Object.keys(EXIT_CODES) as NodeJS.Signals[]
  for (const signal of signals) process.on(signal, onSignal)
  void running.stopped.then(() => {
    for (const signal of signals) process.off(signal, onSignal)
  })
}
