/** Where services send what their calls bring home, as a configuration's `COLLECTOR` says. */
export interface CollectorSettings {
  /** A collector's address, or `broker`: by the broker that the services are connected to. */
  readonly to: string
  /** Shown to a collector that asks. */
  readonly token?: string | null | undefined
  readonly gzip?: boolean | undefined
  /** Of the broker, where it is not the usual one. */
  readonly queue?: string | undefined
  /** What is worth sending. @default everything */
  readonly keep?:
    | {
        readonly errors?: boolean | undefined
        readonly slowest?: number | undefined
        readonly stragglers?: boolean | undefined
        readonly share?: number | undefined
      }
    | undefined
}

/** Undefined where the configuration names no collector. The values were checked when they were read. */
export function collectorSettings(
  values: Readonly<Record<string, unknown>>,
): CollectorSettings | undefined {
  const { COLLECTOR: collector } = values as {
    readonly COLLECTOR?: string | CollectorSettings | null
  }
  if (collector === undefined || collector === null) return undefined
  return typeof collector === 'string' ? { to: collector } : collector
}
