import type { FolderRule, SharedDependency } from './imports.ts'
import type { AllowedName } from './names.ts'

type Rules = Readonly<Record<string, Omit<FolderRule, 'folder'>>>

/** Folders of `clew`, and what their files may import. `.` is index.ts. Nothing outside: any package. */
export const CLEW: Rules = {
  trace: { may: [], pure: true },
  formats: { may: ['trace', '@bufbuild/protobuf/wire'], pure: true },
  call: { may: [] },
  service: { may: ['call'] },
  broker: { may: ['call'] },
  container: { may: ['call', 'service'] },
  http: { may: ['call', 'service', 'container'] },
  // Pages and sockets come to one server, on one port.
  websocket: { may: ['call', 'service', 'container', 'http'] },
  postgres: { may: ['call', 'service'] },
  redis: { may: ['call', 'service'] },
  profile: { may: ['call', 'trace', 'profile/access', 'profile/recall', 'profile/sending'] },
  'profile/access': { may: ['call', 'trace', 'profile'] },
  'profile/recall': { may: ['call', 'trace', 'profile'] },
  'profile/sending': { may: ['call', 'trace', 'profile'] },
  query: { may: ['call', 'trace', 'profile'] },
  config: { may: ['call', 'broker'], mayTypes: ['container'] },
  testing: { may: ['*'] },
  // Who does not use the profiler never loads it: types are all that `clew` may name of it.
  '.': {
    may: ['call', 'service', 'broker', 'container', 'http', 'websocket'],
    mayTypes: ['profile', 'query', 'trace'],
  },
}

/** Folders of `@clew/render`. `.` holds its renderers, and the words and options that all share. */
export const RENDER: Rules = {
  outline: { may: ['.', 'clew/trace'], pure: true },
  layout: { may: ['.', 'outline', 'clew/trace', 'd3-flextree'], pure: true },
  svg: { may: ['.', 'outline', 'layout', 'clew/trace'], pure: true },
  text: { may: ['.', 'outline', 'layout', 'clew/trace'], pure: true },
  breakdown: { may: ['.', 'layout', 'svg', 'text', 'clew/trace'], pure: true },
  // The layout of a system, in whatever language it is asked for.
  map: { may: ['.', 'layout', 'svg', 'text', 'clew/trace'], pure: true },
  // What the self-contained page is given, and the page's own code, which runs in a browser.
  html: { may: ['.', 'outline', 'svg', 'clew/trace'], pure: true },
  // The chart of load is drawn with the breakdown's patterns: the same layers, the same signs.
  load: { may: ['.', 'breakdown', 'layout', 'svg', 'text', 'clew/trace'], pure: true },
  page: { may: ['.', 'html', 'layout', 'svg', 'clew/trace'], pure: true },
  // What tests draw and hold pictures against; nobody else may import it.
  samples: { may: ['*'] },
  '.': {
    may: ['outline', 'layout', 'svg', 'text', 'breakdown', 'load', 'map', 'html', 'clew/trace'],
  },
}

const PUBLIC = [
  ...['clew', 'clew/config', 'clew/formats', 'clew/profile', 'clew/testing', 'clew/trace'],
  ...['@clew/render', '@clew/render/html', '@clew/render/png'],
  ...['clew/http', 'clew/postgres', 'clew/redis'],
  ...['@clew/collector', '@clew/collector/client', '@clew/collector/filter'],
  '@clew/collector/tokens',
]

const TRACES = ['clew', 'clew/trace', 'clew/trace/blocks', 'clew/formats']

/**
 * Folders of `@clew/collector`. `.` puts a collector together of its parts; the filter language and
 * the client run in browsers too.
 */
export const COLLECTOR: Rules = {
  filter: { may: [], pure: true },
  store: { may: ['store/clickhouse', 'store/embedded', 'filter', ...TRACES] },
  testing: { may: ['*'] },
  'store/clickhouse': { may: ['store', 'filter', ...TRACES] },
  // What an engine within this process needs: a folder, room, and getting over damage.
  'store/embedded': { may: ['store', 'store/clickhouse'] },
  settle: { may: ['store', ...TRACES] },
  http: { may: [] },
  access: { may: ['http'] },
  ingest: { may: ['http', 'store', 'settle', ...TRACES] },
  api: { may: ['http', 'filter', 'store', 'settle', ...TRACES] },
  client: {
    may: ['filter', ...TRACES],
    mayTypes: ['store', 'api', 'ingest', 'recall'],
    pure: true,
  },
  recall: { may: ['http', 'store', 'ingest', 'clew/profile', ...TRACES] },
  keep: { may: ['http', 'store'] },
  '.': { may: ['*'] },
}

/** Folders of `@clew/cli`. `.` is what commands are made of, and the program that has them all. */
export const CLI: Rules = {
  commands: { may: ['.', 'demo', 'load', ...PUBLIC] },
  demo: { may: ['.', ...PUBLIC] },
  // A response of an HTTP route brings its tree as a block.
  load: { may: ['.', 'clew/trace/blocks', ...PUBLIC] },
  // What services answer to `clew recall` are pieces.
  '.': { may: ['commands', 'demo', 'clew/trace/blocks', ...PUBLIC] },
}

export const FOLDERS: readonly FolderRule[] = [
  ...rulesIn('packages/clew/src', CLEW),
  ...rulesIn('packages/render/src', RENDER),
  ...rulesIn('packages/collector/src', COLLECTOR),
  ...rulesIn('packages/cli/src', CLI),
  // Examples and benchmarks show what users can do, so they have no more than users have.
  { folder: 'examples', may: PUBLIC },
  {
    folder: 'bench',
    may: [
      ...[...PUBLIC, '@clew/collector/testing', 'clew/trace/blocks', '@clew/cli', 'clew-examples'],
      // What is measured by itself, a step of a call at a time.
      'clew/testing/steps',
    ],
  },
]

function rulesIn(home: string, rules: Rules): readonly FolderRule[] {
  const inside = (names: readonly string[] = []) =>
    names.map((name) => (name in rules ? `${home}/${name}` : name))
  return Object.entries(rules).map(([name, rule]) => ({
    ...rule,
    folder: `${home}/${name}`,
    may: inside(rule.may),
    mayTypes: inside(rule.mayTypes),
  }))
}

/** Each external package sits behind one file of ours, but for these. */
export const SHARED_DEPENDENCIES: readonly SharedDependency[] = [
  {
    workspace: '@clew/cli',
    dependency: '@stricli/core',
    reason: 'declaring, routing, running and completing a command are four concepts of its own',
  },
]

/** Banned words that are right where they stand. */
export const ALLOWED_NAMES: readonly AllowedName[] = [
  { paths: /./, names: /^call-?nodes?$/i, reason: 'a place in the call tree' },
  { paths: /^packages\/clew\/src\/trace\//, names: /node/i, reason: 'a place in the call tree' },
  { paths: /^(scripts|bench)\//, names: /node/i, reason: 'Node, the program' },
  { paths: /^scripts\/rabbitmq\//, names: /^RABBITMQ_\w+_BASE$/, reason: "RabbitMQ's own names" },
  {
    paths: /^(packages\/clew\/src\/formats\/|bench\/(analysis\/documents|peers\/|stores\/))/,
    names: /spans?/i,
    reason: 'what others keep',
  },
  {
    paths: /^packages\/render\/src\/layout\//,
    names: /^(FlextreeNode|nodeSize|data)$/,
    reason: "d3-flextree's own names",
  },
  { paths: /^packages\/cli\//, names: /^Base(Args|Flags)$/, reason: "@stricli/core's own names" },
  {
    paths: /^bench\/peers\/(moleculer|nestjs)\//,
    names: /^(baseURL|Ctx)$/,
    reason: "the peers' own names",
  },
  { paths: /./, names: /commonjs/i, reason: "a module format's name" },
  { paths: /^test\//, names: /^tsBuildInfoFile$/, reason: "the compiler's own name" },
  { paths: /./, names: /^AddressInfo$/, reason: "Node's own name" },
  {
    paths: /^packages\/collector\/src\/ingest\/otlp/,
    names: /spans?/i,
    reason: 'what OpenTelemetry calls them',
  },
  {
    paths: /^packages\/collector\/src\/http\/openapi\.ts$/,
    names: /^info$/,
    reason: "OpenAPI's own name",
  },
  {
    paths: /^packages\/collector\/src\/client\/(events|client)\.ts$/,
    names: /^data$/,
    reason: "the field's name in server-sent events",
  },
  {
    paths: /^packages\/cli\/src\/run-log\.ts$/,
    names: /^info$/,
    reason: 'a level of the log',
  },
  {
    paths: /^(packages\/clew\/src|test)\/websocket/,
    names: /^(data|msg)$/,
    reason: "what Nameko's frames and their recording call it",
  },
  { paths: /\.test\.ts$/, names: /^(Base|helper)$/, reason: 'a made-up class or method' },
]
