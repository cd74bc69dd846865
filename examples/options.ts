import { parseArgs } from 'node:util'
import { type Broker, memory, rabbitmq } from 'clew'

/**
 * Reads `--name value` arguments by a table of names and defaults. A number's default makes it a
 * whole number from 1.
 */
export function options<Table extends Readonly<Record<string, string | number>>>(
  defaults: Table,
): { readonly [Name in keyof Table]: Table[Name] extends number ? number : string } {
  const declared = Object.keys(defaults).map((name) => [name, { type: 'string' }] as const)
  const { values } = parseArgs({ options: Object.fromEntries(declared) })
  const read = Object.entries(defaults).map(([name, byDefault]) => {
    const given = values[name]
    if (given === undefined) return [name, byDefault]
    if (typeof byDefault === 'string') return [name, given]
    const count = Number(given)
    if (Number.isInteger(count) && count >= 1) return [name, count]
    console.error(`--${name} must be a whole number from 1; got ${given}`)
    return process.exit(2)
  })
  return Object.fromEntries(read)
}

/** `memory`, or the address of a RabbitMQ. */
export function brokerAt(address: string): Broker {
  return address === 'memory' ? memory() : rabbitmq(address)
}
