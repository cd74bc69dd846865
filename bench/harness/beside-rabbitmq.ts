import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../../scripts/rabbitmq.mjs', import.meta.url))
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Does the work on the RabbitMQ that CLEW_AMQP_URL names. Without one, runs this program once more
 * beside a private RabbitMQ that is gone afterwards.
 * @returns the exit code
 */
export function besideRabbitmq(work: (url: string) => Promise<number>): Promise<number> {
  const url = process.env.CLEW_AMQP_URL
  if (url !== undefined && url !== '') return work(url)
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SCRIPT, '--', ...again], { stdio: 'inherit' })
    const forward = (signal: NodeJS.Signals) => void child.kill(signal)
    for (const signal of SIGNALS) process.on(signal, forward)
    child.once('error', reject)
    child.once('exit', (code) => {
      for (const signal of SIGNALS) process.off(signal, forward)
      resolve(code ?? 1)
    })
  })
}
