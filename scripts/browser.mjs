// A Chromium for the tests that look at pages.
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { install } from './setup/install.mjs'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const PLACES = ['/usr/bin', '/opt/homebrew/bin', '/snap/bin']

/**
 * Finds a Chromium, or installs one where that is allowed. Without any, tests that need it are
 * skipped and say so.
 * @param {NodeJS.ProcessEnv} options.environment CLEW_CHROMIUM names one
 * @returns `variables` for the environment of the tests; `stop()`, for there is nothing to stop
 */
export async function provideBrowser({ environment = process.env } = {}) {
  const stop = async () => {}
  if ((environment.CLEW_CHROMIUM ?? '') !== '') return { variables: {}, stop }
  const say = (line) => process.stderr.write(`browser: ${line}\n`)
  if (find() === undefined) await install(['chromium'], say)
  const found = find()
  return { variables: found === undefined ? {} : { CLEW_CHROMIUM: found }, stop }
}

function find() {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...PLACES]
  return folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => PROGRAMS.map((program) => path.join(folder, program)))
    .find(isExecutable)
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
