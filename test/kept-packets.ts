import assert from 'node:assert/strict'
import type { Sink } from 'clew/profile'
import { eventually } from 'clew/testing'
import { type CallTree, callTree, type Trace } from 'clew/trace'
import { Assembly, encodePacket, type Packet, readPacket } from 'clew/trace/blocks'

/** A sink that keeps what it is given as it came, as bytes, like those that send it away. */
export class KeptPackets implements Sink {
  readonly counts = { taken: 0, written: 0, dropped: 0 }
  readonly packets: Uint8Array[] = []
  take(): void {
    assert.fail('a sink that takes packets was given a trace')
  }
  takePacket(packet: Packet): void {
    this.packets.push(encodePacket(packet))
  }
  async flush() {}
  async close() {}

  get read(): readonly Packet[] {
    return this.packets.map((bytes) => readPacket(bytes)!)
  }

  /** The trees that all packets of a trace id make, in the order of their first packets. */
  get trees(): readonly CallTree[] {
    const byTrace = Map.groupBy(this.read, ({ traceId }) => traceId)
    return [...byTrace].map(([id, packets]) => callTree(assembled(id, packets)))
  }

  /** The first tree that is as asked for, when it is. */
  until(wanted: (tree: CallTree) => boolean): Promise<CallTree> {
    return eventually(() => {
      const found = this.trees.find(wanted)
      assert.ok(found, `none of ${this.packets.length} packets makes what is asked for`)
      return found
    })
  }
}

function assembled(id: string, packets: readonly Packet[]): Trace {
  const assembly = new Assembly(id)
  for (const { root, pieces } of packets) {
    if (root !== undefined) assembly.addRoot(root.record, root, root.block)
    for (const piece of pieces) assembly.addPiece(piece)
  }
  return assembly.finish()
}
