import { brokerFlag } from '../broker-address.ts'
import { CLICKHOUSE_PASSWORD } from '../clickhouse-password.ts'
import type { CollectFlags } from '../collect.ts'
import { defineCommand } from '../command.ts'
import { usageFault } from '../fault.ts'

const file = (brief: string) =>
  ({ kind: 'parsed', parse: String, optional: true, placeholder: 'FILE', brief }) as const

const yes = (brief: string) =>
  ({ kind: 'boolean', default: false, brief, withNegated: false }) as const

export const collectCommand = defineCommand<CollectFlags, readonly []>({
  help: {
    brief: 'Run a collector: keep what calls bring home, and answer questions about it',
    usage: '[FLAGS]',
    examples: [
      {
        input: 'collect',
        brief: 'for this machine, on http://127.0.0.1:7117; everything in ./clew-store',
      },
      {
        input: 'collect --broker amqp://localhost --keep 7d --max-size 20GB',
        brief: 'also take what services send over RabbitMQ; the oldest goes',
      },
      {
        input: 'collect --host 0.0.0.0 --tokens tokens.json --tls-cert cert.pem --tls-key key.pem',
        brief: 'for other machines, which needs tokens (clew token collector) and TLS',
      },
      {
        input: 'collect --clickhouse https://clew@db.example:8443 --cluster main',
        brief: 'one of any number of collectors that keep everything in a cluster',
      },
    ],
    description: [
      'Services send with profile({ sink: httpSink({ url }) }) or profile({ sink: brokerSink() }), other systems by OpenTelemetry’s protocol (OTLP over HTTP) to the same port. Ask with clew find, show, tail and top, or with --collector URL of every analysis. SIGTERM and Ctrl-C: what has come is made durable first.',
    ],
  },
  parameters: {
    flags: {
      store: {
        kind: 'parsed',
        parse: String,
        default: 'clew-store',
        placeholder: 'DIR',
        brief: 'the folder in which everything is kept',
      },
      host: {
        kind: 'parsed',
        parse: String,
        default: '127.0.0.1',
        placeholder: 'HOST',
        brief: 'where to listen; beyond this machine only with tokens and TLS',
      },
      port: {
        kind: 'parsed',
        parse: parsePort,
        default: '7117',
        placeholder: 'PORT',
        brief: '0 for any that is free',
      },
      broker: brokerFlag,
      clickhouse: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'URL',
        brief: `keep traces in a ClickHouse server; password by $${CLICKHOUSE_PASSWORD}`,
      },
      cluster: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'NAME',
        brief: 'of ClickHouse, as its configuration names it (docs/scaling.md)',
      },
      printSchema: yes('print the statements that make the tables in ClickHouse, and end'),
      memory: yes('keep everything in memory, and nothing when it ends'),
      keep: {
        kind: 'parsed',
        parse: parseAge,
        optional: true,
        placeholder: 'TIME',
        brief: 'delete traces that are older, such as 12h or 7d (default: none)',
      },
      maxSize: {
        kind: 'parsed',
        parse: parseSize,
        optional: true,
        placeholder: 'SIZE',
        brief: 'delete the oldest traces beyond, such as 500MB or 20GB (default: none)',
      },
      tokens: file('who may use it, as clew token collector create writes it'),
      tlsCert: file('certificate chain, PEM'),
      tlsKey: file('its key, PEM'),
      behindTlsProxy: yes('a proxy in front of it speaks TLS, and nothing else can reach it'),
      json: yes('when ready, print where it answers as one JSON value'),
    },
  },
  async run(context, flags) {
    const { collect } = await import('../collect.ts')
    return collect(context, flags)
  },
})

function parsePort(word: string): number {
  const port = Number(word)
  if (word.trim() === '' || !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw usageFault(`${JSON.stringify(word)} is no port from 0 to 65535`)
  }
  return port
}

const AGES: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function parseAge(word: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(m|h|d)$/u.exec(word.trim()) ?? []
  const ms = digits === undefined ? 0 : Number(digits) * AGES[unit!]!
  if (!(ms >= 60_000)) {
    throw usageFault(`${JSON.stringify(word)} is no time of a minute or more; write 90m, 12h or 7d`)
  }
  return ms
}

const SIZES: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 }

function parseSize(word: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(MB|GB|TB)$/iu.exec(word.trim()) ?? []
  const bytes = digits === undefined ? 0 : Number(digits) * SIZES[unit!.toUpperCase()]!
  if (!(bytes >= 10e6)) {
    throw usageFault(`${JSON.stringify(word)} is no size of 10 MB or more; write 500MB or 20GB`)
  }
  return bytes
}
