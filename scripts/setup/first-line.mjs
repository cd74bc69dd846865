/**
 * What a keeper says once what it keeps is ready: one line of JSON; `{ error }` when it ends before.
 * @param {string} name how to name it
 */
export function firstLine(child, name) {
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
