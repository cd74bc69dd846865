import { spawn } from 'node:child_process'
import os from 'node:os'
import tty from 'node:tty'

/**
 * Runs a command to its end and keeps what it printed.
 * @returns {Promise<{ code: number, stdout: string, stderr: string, text: string }>} `text` is both
 *   streams as they came; code 127 when it cannot be run at all, 124 when it took longer than
 *   `timeoutMs` and was killed
 */
export function output(
  command,
  parameters,
  { cwd, env = process.env, timeoutMs = 120_000, uid, gid } = {},
) {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'pipe']
    const child = spawn(command, parameters, { cwd, env, uid, gid, stdio })
    const printed = { stdout: '', stderr: '', text: '' }
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, timeoutMs)
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        printed[stream] += text
        printed.text += text
      })
    }
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve({ code: 127, stdout: '', stderr: error.message, text: error.message })
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code: late ? 124 : (code ?? 1), ...printed })
    })
  })
}

export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const GRACE_MS = 20_000

/**
 * Runs a command in our place: its streams are ours, our signals are its, and so is the exit code.
 * @param options.timeoutMs after it the command is interrupted as by Ctrl-C, and killed when that
 *   does not help. By default it may take for ever.
 * @returns {Promise<number>} its exit code, or 128 and the number of the signal that ended it
 */
export function passThrough(command, parameters, { cwd, env = process.env, timeoutMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { cwd, env, stdio: 'inherit' })
    const timers =
      timeoutMs === undefined
        ? []
        : [
            setTimeout(() => {
              process.stderr.write(`not done after ${timeoutMs / 60_000} minutes: interrupted\n`)
              child.kill('SIGINT')
            }, timeoutMs),
            setTimeout(() => child.kill('SIGKILL'), timeoutMs + GRACE_MS),
          ]
    const forward = (signal) => {
      // A terminal sends Ctrl-C to all processes in it. The child must not get it twice: a second
      // one asks most programs to end at once instead of well.
      if (signal === 'SIGINT' && [0, 1, 2].some((fd) => tty.isatty(fd))) return
      child.kill(signal)
    }
    for (const signal of SIGNALS) process.on(signal, forward)
    const settle = (code) => {
      for (const signal of SIGNALS) process.off(signal, forward)
      for (const timer of timers) clearTimeout(timer)
      resolve(code)
    }
    child.once('error', (error) => {
      process.stderr.write(`cannot run ${command}: ${error.message}\n`)
      settle(127)
    })
    child.once('exit', (code, signal) => settle(code ?? 128 + os.constants.signals[signal]))
  })
}
