import type { Guarantees } from './program.ts'

/** Clew's delivery that a peer is held against. */
export type Group = 'fast' | 'confirmed'

export type Family = 'clew' | 'amqplib' | 'nestjs' | 'moleculer' | 'nameko'

/** How a peer's users trace it. */
export interface Tracer {
  readonly title: string
  /** What reaches the sink for one call, when nothing is lost. */
  readonly perCall: number
  readonly unit: 'spans' | 'traces'
  /** Address of what is loaded before the peer's program. @default that program traces itself */
  readonly program?: string
  /** Folder whose packages it needs. @default those of the peer */
  readonly packages?: string
}

export interface PeerKind {
  readonly key: string
  readonly family: Family
  readonly title: string
  readonly group: Group
  readonly guarantees: Guarantees
  /** Address of its program. @default Nameko's, which are in Python */
  readonly program?: string
  /** Folder whose packages it needs. @default those of this repository */
  readonly packages?: string
  /** @default none */
  readonly tracer?: Tracer
}

/** Address of a program that is not compiled, from where this file is when it is. */
const source = (path: string) => new URL(`../../peers/${path}`, import.meta.url).href

const CLEW = {
  family: 'clew',
  program: new URL('./clew.js', import.meta.url).href,
  tracer: { title: '`profile()`', perCall: 1, unit: 'traces' },
} as const

/** A span to send and one to receive, at both ends. */
const OPENTELEMETRY = { title: 'OpenTelemetry', perCall: 4, unit: 'spans' } as const

const AMQPLIB = {
  family: 'amqplib',
  tracer: { ...OPENTELEMETRY, program: source('amqplib/tracing.mjs'), packages: 'amqplib' },
} as const

const NESTJS = {
  family: 'nestjs',
  program: source('nestjs/microservice.mjs'),
  packages: 'nestjs',
  tracer: { ...OPENTELEMETRY, program: source('nestjs/tracing.mjs') },
} as const

/** All peers, those of one group together, Clew first. */
export const KINDS: readonly PeerKind[] = [
  { ...CLEW, key: 'clew-fast', title: 'Clew, `fast`', group: 'fast', guarantees: 'fast' },
  {
    ...AMQPLIB,
    key: 'amqplib-fast',
    title: 'amqplib by hand',
    group: 'fast',
    guarantees: 'fast',
    program: source('amqplib/fast.mjs'),
  },
  {
    ...AMQPLIB,
    key: 'amqplib-direct',
    title: 'amqplib, direct reply-to',
    group: 'fast',
    guarantees: 'fast',
    program: source('amqplib/direct.mjs'),
  },
  { ...NESTJS, key: 'nestjs-fast', title: 'NestJS', group: 'fast', guarantees: 'fast' },
  {
    ...NESTJS,
    key: 'nestjs-unacknowledged',
    title: 'NestJS, its default',
    group: 'fast',
    guarantees: 'unacknowledged',
  },
  {
    family: 'moleculer',
    key: 'moleculer-fast',
    title: 'Moleculer',
    group: 'fast',
    guarantees: 'fast',
    program: source('moleculer/nodes.mjs'),
    packages: 'moleculer',
    tracer: { title: 'its own, to Zipkin', perCall: 1, unit: 'spans' },
  },
  {
    ...CLEW,
    key: 'clew-confirmed',
    title: 'Clew, `nameko`',
    group: 'confirmed',
    guarantees: 'confirmed',
  },
  {
    ...AMQPLIB,
    key: 'amqplib-confirmed',
    title: 'amqplib by hand',
    group: 'confirmed',
    guarantees: 'confirmed',
    program: source('amqplib/confirmed.mjs'),
  },
  {
    ...NESTJS,
    key: 'nestjs-confirmed-requests',
    title: 'NestJS, persistent requests',
    group: 'confirmed',
    guarantees: 'confirmed-requests',
  },
  {
    family: 'nameko',
    key: 'nameko-confirmed',
    title: 'Nameko 2.14',
    group: 'confirmed',
    guarantees: 'confirmed',
  },
]

/** A peer with its tracing on or off: what is measured. */
export interface Cell {
  readonly kind: PeerKind
  /** Undefined: nothing is traced. */
  readonly tracer: Tracer | undefined
}

/** The key of a cell, good for names of queues and in addresses. */
export function cellKey({ kind, tracer }: Cell): string {
  return tracer === undefined ? kind.key : `${kind.key}-traced`
}

/** Folders with packages that cells need. */
export function packagesOf(cells: readonly Cell[]): readonly string[] {
  const folders = cells.flatMap(({ kind, tracer }) => [kind.packages, tracer?.packages])
  return [...new Set(folders)].filter((folder) => folder !== undefined)
}

/** Every peer of the families untraced, and traced where its users have something for that. */
export function cellsOf(families: readonly Family[], tracing: 'both' | 'off'): readonly Cell[] {
  return KINDS.filter(({ family }) => family === 'clew' || families.includes(family)).flatMap(
    (kind): Cell[] => {
      const untraced = { kind, tracer: undefined }
      const { tracer } = kind
      return tracer === undefined || tracing === 'off' ? [untraced] : [untraced, { kind, tracer }]
    },
  )
}
