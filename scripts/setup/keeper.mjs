import { spawn } from 'node:child_process'

/**
 * Starts a keeper: a process that holds servers for us, and is gone with them when we are.
 * @param {string} file the keeper's module
 * @param {object} parameters what it is to keep
 * @param {string} name how to name it
 * @returns `started`, what it said once all was ready: `{ error }` where that did not come about;
 *   `stop()`, after which nothing of it is left
 */
export async function startKeeper(file, parameters, name) {
  const keeper = spawn(process.execPath, [file, JSON.stringify(parameters)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C in a terminal is for the command that uses the servers, which may need them to end well.
    detached: true,
  })
  const ended = new Promise((resolve) => keeper.once('close', resolve))
  keeper.stdin.on('error', () => {})
  const stop = async () => {
    keeper.ref()
    keeper.stdin.end()
    await ended
  }
  const started = await firstLine(keeper, name)
  if (started.error === undefined) {
    for (const held of [keeper, keeper.stdin, keeper.stdout]) held.unref()
  } else {
    await stop()
  }
  return { started, stop }
}

/** One line of JSON. */
function firstLine(child, name) {
  return new Promise((resolve) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)))
    })
    child.once('error', (error) => resolve({ error: error.message }))
    child.once('close', (code) => resolve({ error: `${name} ended with ${code}` }))
  })
}
