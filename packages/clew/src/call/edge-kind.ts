/**
 * What leads from a caller to what it calls (X-Trace's edges, and Nameko's events): `call` waits for
 * a service's answer, `event` is published and waits for nobody, `down` is an operation one layer
 * below (a database, a cache), `next` follows in the same layer.
 */
export type EdgeKind = 'call' | 'event' | 'down' | 'next'
