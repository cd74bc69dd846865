/** What went wrong is the user's to mend, and the message says how: no stack trace is shown. */
export class SetupError extends Error {}

/** Ends a script. */
export function exitWith(error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`)
  process.exit(1)
}
