import { type HeaderValue, proxy, rpc, type ServiceClass, workerContext } from 'clew'

/** Has a class of the same path in interop_errors.py. */
export class OutOfStock extends Error {
  readonly args: readonly [item: string, wanted: number]
  constructor(item: string, wanted: unknown) {
    super(`${wanted} of ${item} wanted`)
    this.name = 'OutOfStock'
    this.args = [item, Number(wanted)]
  }
}

export const ERRORS = { 'interop_errors.OutOfStock': OutOfStock }

/** Known to nobody but its service. */
export class Unheard extends Error {
  override name = 'Unheard'
}

/** The services of services.py, as TypeScript sees them. */
export interface Greeter {
  hello(name?: string, greeting?: string): string
  keywords(first: unknown, ...rest: unknown[]): Keywords
  echo(value: unknown): unknown
  kinds(): Record<string, unknown>
  moments(): Record<string, unknown>
  out_of_stock(item: string): void
  unheard(): void
  refuse(): void
  unserializable(): unknown
  sleep(seconds: number): string
  seen(): SeenByPython
}

export interface Keywords {
  readonly first: unknown
  readonly rest: readonly unknown[]
  readonly named: Readonly<Record<string, unknown>>
}

export interface SeenByPython {
  readonly call_id: string
  readonly call_id_stack: readonly string[]
  readonly context: Readonly<Record<string, unknown>>
}

export interface Relay {
  relay(method: string, ...args: unknown[]): unknown
  relay_by_keyword(method: string, named: Record<string, unknown>): unknown
  relay_deeper(method: string, ...args: unknown[]): unknown
  relay_at_once(method: string, values: unknown[]): unknown[]
  catch(method: string, ...args: unknown[]): unknown
  ask_nobody(): unknown
  seen(): SeenByPython
  stack_below(): { readonly own: readonly string[]; readonly below: Seen }
}

export interface Seen {
  readonly callId: string
  readonly stack: readonly string[]
  readonly context: Readonly<Record<string, unknown>>
  readonly headers: readonly string[]
  /** Whether a deadline came with the call. */
  readonly hasDeadline: boolean
}

/** What runs beside services.py in tests: classes by the prefix that all names of a run share. */
export function typescriptServices(prefix: string) {
  class Below {
    static readonly name: string = `${prefix}_below`
    @rpc async leaf(value: unknown) {
      return value
    }
    @rpc fail(): void {
      throw new Unheard('the bottom has fallen out')
    }
  }

  class Typescript {
    static readonly name: string = `${prefix}_typescript`
    below = proxy<Below>(`${prefix}_below`)
    greeter = proxy<Greeter>(`${prefix}_greeter`)
    worker = workerContext()

    @rpc({ params: ['name', 'greeting'] }) hello(name: string, greeting = 'Hello') {
      return `${greeting}, ${name}!`
    }
    @rpc undeclared(first: unknown, named: unknown = null) {
      return [first, named]
    }
    @rpc async echo(value: unknown) {
      return value
    }
    @rpc nothing() {}
    @rpc({ name: 'out_of_stock' }) outOfStock(item: string): void {
      throw new OutOfStock(item, 7)
    }
    @rpc unheard(): void {
      throw new Unheard('größe ☂')
    }
    @rpc unserializable(): unknown {
      return { set: new Set([1]) }
    }
    @rpc big(): unknown {
      return { long: 2n ** 53n + 1n, nan: Number.NaN, infinity: [Infinity, -Infinity] }
    }
    @rpc async sleep(seconds: number) {
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      return 'slept'
    }
    @rpc seen(): unknown {
      const { callId, callIdStack, context, call } = this.worker
      return {
        callId,
        stack: callIdStack,
        context: readable(context),
        headers: Object.keys(call.headers),
        hasDeadline: Number.isFinite(call.timeoutMs),
      } satisfies Seen
    }
    @rpc async seenBelow() {
      return (await this.greeter.seen()).context
    }
    @rpc async step(value: unknown) {
      return await this.below.leaf(value)
    }
    @rpc async failBelow() {
      await this.below.fail()
    }
  }

  class Top {
    static readonly name: string = `${prefix}_top`
    relay = proxy<Relay>(`${prefix}_relay`)
    below = proxy<Below>(`${prefix}_below`)
    @rpc async through(method: string, value: unknown) {
      return await this.relay.relay(method, value)
    }
    @rpc async deeper(method: string, value: unknown) {
      return await this.relay.relay_deeper(method, value)
    }
    @rpc async fan(width: number) {
      const values = Array.from({ length: width }, (_, n) => n)
      const [through, direct] = await Promise.all([
        this.relay.relay_at_once('step', values),
        Promise.all(values.map((value) => this.below.leaf(value))),
      ])
      return { through, direct }
    }
    @rpc async fail() {
      await this.relay.relay('failBelow')
    }
  }
  return { Below, Typescript, Top }
}

export type TypescriptServices = ReturnType<typeof typescriptServices>
export type Typescript = InstanceType<TypescriptServices['Typescript']>
export type Top = InstanceType<TypescriptServices['Top']>

/** The replica of services.py's service of the same name. */
export function sharedService(prefix: string) {
  return class Shared {
    static readonly name: string = `${prefix}_shared`
    @rpc async who(seconds = 0.005) {
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      return 'typescript'
    }
    /** A replica that is to be killed holds on to the call, the other one answers. */
    @rpc async hold(victim: string) {
      if (victim !== 'typescript') return 'typescript'
      process.stdout.write('holding\n')
      return await new Promise<string>(() => {})
    }
  }
}

export type Shared = InstanceType<ReturnType<typeof sharedService>>

/** The same service under a name of its own. */
export function renamed(service: ServiceClass, name: string): ServiceClass {
  return class extends service {
    static override readonly name: string = name
  }
}

/** Bytes in a context as what JSON has for them. */
function readable(context: Readonly<Record<string, HeaderValue>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? Array.from(value) : value,
    ]),
  )
}
