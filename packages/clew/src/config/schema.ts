import * as v from 'valibot'

const text = (what: string) => v.string(what)
const whole = (least: number, most: number) => {
  const what = `must be a whole number from ${least} to ${most}`
  return v.pipe(v.number(what), v.integer(what), v.minValue(least, what), v.maxValue(most, what))
}
const LONGEST_MS = 0x7fffffff
const flag = v.boolean('must be true or false')

const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'WARN', 'ERROR', 'CRITICAL'] as const
const level = v.pipe(
  v.string(`must be one of ${LEVELS.join(', ')}`),
  v.toUpperCase(),
  v.picklist(LEVELS, `must be one of ${LEVELS.join(', ')}`),
)

const share = (what: string) => v.pipe(v.number(what), v.minValue(0, what), v.maxValue(1, what))
const SHARE = 'must be a number from 0 to 1'

const collectorAddress = v.pipe(
  v.string('must be a collector’s address, such as http://127.0.0.1:7117, or broker'),
  v.regex(
    /^(?:broker|https?:\/\/\S+)$/u,
    'must be a collector’s address, such as http://127.0.0.1:7117, or broker',
  ),
)

/** Keys that the framework reads, Nameko's first. All others belong to the program. */
const KNOWN = {
  AMQP_URI: text('must be an address such as amqp://user:password@host:5672/vhost'),
  AMQP_SSL: v.union(
    [
      v.boolean(),
      v.object({
        ca_certs: v.optional(v.string()),
        certfile: v.optional(v.string()),
        keyfile: v.optional(v.string()),
        keyfile_password: v.optional(v.string()),
        cert_reqs: v.optional(v.picklist([2, 'required', 'CERT_REQUIRED', 'ssl.CERT_REQUIRED'])),
      }),
    ],
    'must be true, or the files ca_certs, certfile, keyfile; cert_reqs can only be required (2), certificates are always checked',
  ),
  LOGIN_METHOD: v.picklist(
    ['PLAIN', 'AMQPLAIN', 'EXTERNAL'],
    'must be PLAIN, AMQPLAIN or EXTERNAL',
  ),
  HEARTBEAT: whole(0, 65_535),
  WEB_SERVER_ADDRESS: v.pipe(
    text('must be HOST:PORT, such as 0.0.0.0:8000'),
    v.regex(/^(?:\[[^\]\s]+\]|[^:\s]*):\d{1,5}$/u, 'must be HOST:PORT, such as 0.0.0.0:8000'),
  ),
  max_workers: whole(1, 65_535),
  PREFETCH_COUNT: whole(1, 65_535),
  serializer: text('must be the name of a serializer, such as json'),
  ACCEPT: v.array(
    v.string('must name a serializer, such as json'),
    'must be a list of serializers, such as [json]',
  ),
  rpc_exchange: v.pipe(
    text('must be the name of an exchange, such as nameko-rpc'),
    v.maxBytes(255, 'must have at most 255 bytes'),
  ),
  AUTO_DELETE_EVENT_EXCHANGES: flag,
  DECLARE_EVENT_EXCHANGES: flag,
  parent_calls_tracked: whole(0, 10),
  LOGGING: v.union(
    [
      level,
      v.looseObject({
        level: v.optional(level),
        format: v.optional(v.picklist(['text', 'json'])),
        root: v.optional(v.looseObject({ level: v.optional(level) })),
      }),
    ],
    `must be a level (${LEVELS.join(', ')}), or { level, format: text or json }, or Python's dictConfig with root: { level }`,
  ),
  TIMEOUT_MS: whole(1, LONGEST_MS),
  DRAIN_TIMEOUT_MS: whole(0, LONGEST_MS),
  DELIVERY: v.picklist(['nameko', 'fast'], 'must be nameko or fast'),
  COLLECTOR: v.union(
    [
      collectorAddress,
      v.strictObject({
        to: collectorAddress,
        token: v.nullish(v.string()),
        gzip: v.optional(flag),
        queue: v.optional(v.string()),
        keep: v.optional(
          v.strictObject({
            errors: v.optional(flag),
            slowest: v.optional(share(SHARE)),
            stragglers: v.optional(flag),
            share: v.optional(share(SHARE)),
          }),
        ),
      }),
    ],
    'must be a collector’s address, such as http://127.0.0.1:7117, or broker; or { to, token, gzip, queue, keep: { errors, slowest, stragglers, share } }',
  ),
} as const

/** Keys of Nameko that mean nothing here, with the reason. */
export const UNUSED: ReadonlyMap<string, string> = new Map([
  ['TRANSPORT_OPTIONS', 'Clew reconnects by itself, for ever, and waits longer each time'],
  ['SERVICE_CONTAINER_CLS', 'containers cannot be replaced; use plugins (`use`) instead'],
  ['SERIALIZERS', 'they are Python import paths; give yours to `run` and `connect` in code'],
])

export const KNOWN_KEYS: readonly string[] = [...Object.keys(KNOWN), ...UNUSED.keys()]

const schema = v.looseObject(
  Object.fromEntries(Object.entries(KNOWN).map(([key, value]) => [key, v.nullish(value)])),
)

/** What is wrong with a value: where it stands, and in words. */
export interface SchemaProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Checks the keys that the framework reads. Null counts as not given. */
export function problemsIn(values: Readonly<Record<string, unknown>>): readonly SchemaProblem[] {
  const { issues = [] } = v.safeParse(schema, values)
  return issues.map((issue) => ({
    path: (issue.path ?? []).map(({ key }) => key as string | number),
    message: issue.message,
  }))
}
