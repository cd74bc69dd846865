import { proxy, rpc } from 'clew'

export class LeafService {
  static readonly name = 'fan_out_leaf'

  @rpc process_item(item: number): number {
    return item * item
  }
}

/** Asks its leaf `count` times and adds the answers up. */
export class RootService {
  static readonly name = 'fan_out_root'
  leaf = proxy<LeafService>('fan_out_leaf')

  /** Synchronous calls: each waits for the one before. */
  @rpc async one_by_one(count: number): Promise<number> {
    let sum = 0
    for (let item = 0; item < count; item++) sum += await this.leaf.process_item(item)
    return sum
  }

  /** Asynchronous calls: all are in flight before the first answer is waited for. */
  @rpc async all_at_once(count: number): Promise<number> {
    const pending = Array.from({ length: count }, (_, item) => this.leaf.process_item(item))
    return (await Promise.all(pending)).reduce((sum, answer) => sum + answer, 0)
  }
}
