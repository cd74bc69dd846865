import type { Place } from './side.ts'
import { numberTag, type Tags, textTag } from './tags.ts'

/** The host names only the machine, which is enough where the process is told as well. */
const MACHINE = ['host.name', 'hostname']
/** What tells the instances of a service apart, by what people know them by. */
const INSTANCE = ['k8s.pod.name', 'service.instance.id', 'container.id']
const ADDRESS = ['host.id', 'net.host.ip', 'host.ip', 'ip', 'net.host.name']

/** Reads of a process, or resource, what it is and where it runs. */
export function readPlace(tags: Tags, place: Place): void {
  const service = textTag(tags, ['service.name'])
  if (service !== undefined) place.service = service
  const pid = numberTag(tags, ['process.pid', 'pid'])
  place.pid = pid !== undefined && Number.isSafeInteger(pid) && pid >= 0 ? pid : undefined
  const pod = textTag(tags, ['k8s.pod.name'])
  const machine = textTag(tags, MACHINE)
  const process = place.pid === undefined ? undefined : machine
  place.host = pod ?? process ?? textTag(tags, [...INSTANCE, ...MACHINE, ...ADDRESS]) ?? ''
  place.version = textTag(tags, ['service.version', 'version'])
}
