import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/** Whether only this machine reaches an address: 127.0.0.0/8, `::1`, and IPv4 ones written as IPv6. */
export function isLoopback(address: string): boolean {
  const version = isIP(address)
  // BlockList knows ::ffff:127.0.0.1 for what it is.
  return version !== 0 && LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
