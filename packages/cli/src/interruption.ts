import { EXIT } from './exit.ts'

/**
 * While `work` runs, Ctrl-C (and a request to terminate) first lets `clean` take away what should not stay,
 * then ends the process with the exit code that says so.
 */
export async function interruptible<T>(clean: () => void, work: () => Promise<T>): Promise<T> {
  const onSignal = () => {
    clean()
    process.exit(EXIT.interrupted)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await work()
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
