/**
 * What Clew says of its own calls where a format has no words for it, by tags that other readers pass
 * over. Each stands where the record does not say the same by itself.
 */
export const OWN = {
  edge: 'clew.edge',
  /** `caller` or `callee`: two records, one below the other, that are one call whatever their kinds. */
  side: 'clew.side',
  status: 'clew.status',
  /** Class of the error; empty where there is none, whatever else the tags say. */
  error: 'clew.error',
  /** `start` or `end`: which of its times is known, where the other one is not. */
  known: 'clew.known',
  /** Microseconds from its beginning until its method ran. */
  started: 'clew.started_after_us',
  redelivered: 'clew.redelivered',
  inFlight: 'clew.in_flight',
  busy: 'clew.busy',
  late: 'clew.late',
  /** Calls below that are not there. */
  missing: 'clew.missing_calls',
} as const

const OWN_KEYS: ReadonlySet<string> = new Set(Object.values(OWN))

export const isOwn = (key: string): boolean => OWN_KEYS.has(key)
