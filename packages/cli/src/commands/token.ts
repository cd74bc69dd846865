import { defineCommand } from '../command.ts'
import { usageFault } from '../fault.ts'
import type { TokenFlags } from '../token-actions.ts'

export const ACTIONS = ['make', 'explain', 'key', 'collector'] as const
type Action = (typeof ACTIONS)[number]

const text = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, optional: true, placeholder, brief }) as const

export const tokenCommand = defineCommand<
  TokenFlags,
  readonly [Action, string | undefined, string | undefined]
>({
  help: {
    brief:
      'Make, explain and get keys for grants (who may see which part of a tree), and tokens of a collector',
    usage: 'make|explain|key [TOKEN] [FLAGS]; token collector create|list|revoke [NAME] [FLAGS]',
    examples: [
      {
        input: 'token key -o grants.key.json > grants.pub.json',
        brief:
          'a new key: the private half into a file only you can read, the public one to stdout',
      },
      {
        input: 'token make --key grants.key.json --audience gateway --scope own --subject acme',
        brief: 'a grant for one request within 5 minutes, for the header clew-grant',
      },
      {
        input: 'token explain TOKEN --key grants.pub.json --audience gateway',
        brief: 'what it says, and whether the gateway would believe it; without TOKEN from stdin',
      },
      {
        input: 'token collector create --role ingest --tenant shop --name orders > orders.token',
        brief: 'a token for a collector that is started with --tokens tokens.json',
      },
    ],
    description: [
      'Scopes: none; total, how long a request took; own, the asked service and the calls it made, what is below them merged and hosts renamed; full, everything.',
      'A token of a collector is for a service, a person or a job: ingest sends traces, read asks, admin may do all, each for one tenant. The file (--file, default tokens.json) keeps a hash of it, and a collector follows the file within a second.',
      'A key is read from a file (JSON or PEM) or, as env:NAME, from the environment. Exit codes of explain: 0 believed or not verified, 1 refused, 7 no token at all.',
    ],
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: parseAction, placeholder: 'ACTION', brief: ACTIONS.join(', ') },
        {
          parse: String,
          optional: true,
          placeholder: 'TOKEN',
          brief: 'explain: what to explain (default: stdin); collector: create, list or revoke',
        },
        {
          parse: String,
          optional: true,
          placeholder: 'NAME',
          brief: 'collector: which token',
        },
      ],
    },
    flags: {
      key: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: true,
        placeholder: 'FILE|env:NAME',
        brief: 'make: the key that signs; explain: those that verify',
      },
      audience: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: ',',
        placeholder: 'SERVICE',
        brief: 'the service at whose edge it counts; several with commas',
      },
      scope: {
        kind: 'enum',
        values: ['none', 'total', 'own', 'full'],
        optional: true,
        brief: 'what the holder may see',
      },
      subject: text('NAME', 'whom the grant is for, for logs (default: anonymous)'),
      issuer: text('NAME', 'who makes it (default: clew)'),
      expires: text(
        'TIME',
        'how long it counts, such as 30s (default: 5m; collector: 90d, or never)',
      ),
      uses: {
        kind: 'parsed',
        parse: parseUses,
        default: '1',
        placeholder: 'N',
        brief: 'how many requests it covers',
      },
      kid: text('NAME', 'key: its name; make: which key of the file'),
      algorithm: {
        kind: 'enum',
        values: ['ed25519', 'hmac'],
        default: 'ed25519',
        brief: 'of a new key',
      },
      role: {
        kind: 'enum',
        values: ['ingest', 'read', 'admin'],
        optional: true,
        variadic: ',',
        brief: 'collector create: what the token allows; several with commas',
      },
      tenant: text('NAME', 'collector create: whose traces (default: default)'),
      name: text('NAME', 'collector create: who uses it, for lists and logs'),
      file: text('FILE', 'collector: where its tokens are (default: tokens.json)'),
      out: text('FILE', 'where a new private key goes; it must not exist'),
      printPrivate: {
        kind: 'boolean',
        default: false,
        brief: 'print a new private key to stdout instead',
        withNegated: false,
      },
      json: {
        kind: 'boolean',
        default: false,
        brief: 'as one JSON value',
        withNegated: false,
      },
    },
    aliases: { o: 'out', k: 'key', a: 'audience', s: 'scope' },
  },
  async run(context, flags, action, token, name) {
    if (action === 'collector') {
      const { collectorTokens } = await import('../collector-tokens.ts')
      return collectorTokens(context, flags, [token, name])
    }
    if (name !== undefined) throw usageFault(`clew token ${action} takes no NAME`)
    const { explainToken, makeKey, makeToken } = await import('../token-actions.ts')
    if (action === 'explain') return explainToken(context, flags, token)
    if (token !== undefined) {
      throw usageFault(`clew token ${action} takes no TOKEN`, { next: ['clew token --help'] })
    }
    return action === 'make' ? makeToken(context, flags) : makeKey(context, flags)
  },
})

function parseAction(word: string): Action {
  const action = ACTIONS.find((known) => known === word)
  if (action === undefined) {
    throw usageFault(`${JSON.stringify(word)} is none of ${ACTIONS.join(', ')}`)
  }
  return action
}

function parseUses(word: string): number {
  const uses = Number(word)
  if (!(Number.isInteger(uses) && uses >= 1 && uses <= 1_000_000)) {
    throw usageFault(`${JSON.stringify(word)} is no whole number from 1 to 1000000`)
  }
  return uses
}
