export { type KombuValue, kombuJson, kombuValue } from './kombu-json.ts'
export { type MemoryOptions, memory } from './memory.ts'
export type { TlsOptions } from './rabbit-address.ts'
export { type RabbitmqOptions, rabbitmq } from './rabbitmq.ts'
