/** What the command's exit code tells a script. */
export const EXIT = {
  ok: 0,
  /** It ran and failed: the called method threw, a file could not be written. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** What was named does not exist: a file, a trace, a service, a method. */
  notFound: 3,
  /** The broker refused who we are. */
  auth: 4,
  /** The broker cannot be reached. */
  unreachable: 5,
  timeout: 6,
  /** The input could be read only in part, or not at all. */
  partial: 7,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
