import { usageFault } from './fault.ts'

/** @throws Fault when it is no port */
export function parsePort(text: string): number {
  const port = Number(/^(?:localhost:|127\.0\.0\.1:)?(\d{1,5})$/u.exec(text)?.[1])
  if (!(port >= 0 && port <= 65_535)) {
    throw usageFault(`${JSON.stringify(text)} is no port of this machine`, {
      next: ['clew backdoor 5000'],
    })
  }
  return port
}
