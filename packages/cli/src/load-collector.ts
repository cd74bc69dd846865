import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'

/** The collector's package, which the command line does not bring with it. @throws Fault where it is not installed */
export const loadCollector = (): Promise<typeof import('@clew/collector')> =>
  installed(() => import('@clew/collector'))

/** What makes its tokens, without the rest. @throws Fault where it is not installed */
export const loadCollectorTokens = (): Promise<typeof import('@clew/collector/tokens')> =>
  installed(() => import('@clew/collector/tokens'))

async function installed<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Fault('the collector is not installed', {
      ...{ exit: EXIT.notFound, code: 'no_collector', cause: error },
      why: 'it is a package of its own, @clew/collector, which the clew command does not bring with it',
      next: ['npm install @clew/collector'],
    })
  }
}
