import { writeSync } from 'node:fs'
import { summarise } from '../settle/summarise.ts'
import { embeddedStore } from '../store/embedded-store.ts'
import { traceKey } from '../store/trace-store.ts'
import { keptBatch, TENANT } from './kept-batches.ts'

/*
 * A process to be killed: keeps and settles batches, one after the other and now and then one again, and
 * writes the number of each as soon as it has been acknowledged.
 */
const [dir = '', first = '0'] = process.argv.slice(2)
const store = await embeddedStore(dir)
const left = await store.unsettled()
const packets = await store.packets(left)
await store.settle(
  left.map((key) => summarise({ ...key, packets: packets.get(traceKey(key))!, replaces: true })),
)
for (let number = Number(first); ; number++) {
  const batch = keptBatch(number)
  await store.append([batch])
  writeSync(1, `${number}\n`)
  const summaries = batch.packets.map(({ traceId, bytes }) =>
    summarise({ tenant: TENANT, traceId, packets: [bytes], replaces: false }),
  )
  await store.settle(summaries)
  if (number % 3 === 0) await store.settle(summaries.map((one) => ({ ...one, replaces: true })))
}
