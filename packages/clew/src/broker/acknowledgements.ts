/** A delivery of which its channel has not heard again. */
export class Unsettled {
  readonly tag: number
  done = false
  before: Unsettled | undefined
  after: Unsettled | undefined

  /** @param tag greater than those before it */
  constructor(tag: number) {
    this.tag = tag
  }
}

/**
 * What one channel has delivered and is still to acknowledge, in order. All that is done with at a time is
 * told in as few words as possible: one for everything up to a tag where nothing before it is open, and
 * one for each of the others. A broker has work with every word.
 */
export class Acknowledgements extends Unsettled {
  #told: Unsettled[] = []

  constructor() {
    // Its own tag is nobody's: it stands between the latest and the oldest.
    super(0)
    this.before = this
    this.after = this
  }

  add(delivery: Unsettled): void {
    const latest = this.before!
    delivery.before = latest
    delivery.after = this
    latest.after = delivery
    this.before = delivery
  }

  /** It is done with. @returns true when it is the first that is to be told */
  settle(delivery: Unsettled): boolean {
    if (delivery.done || delivery.after === undefined) return false
    delivery.done = true
    return this.#told.push(delivery) === 1
  }

  /** The channel hears of it in another way. @returns false when it has heard of it already */
  forget(delivery: Unsettled): boolean {
    if (delivery.done || delivery.after === undefined) return false
    unlink(delivery)
    return true
  }

  /** Tells what is done with since the last time; `multiple` counts for all up to the tag. */
  tell(write: (tag: number, multiple: boolean) => void): void {
    let latest: Unsettled | undefined
    let together = 0
    for (let oldest = this.after!; oldest.done; oldest = this.after!) {
      latest = oldest
      together++
      unlink(oldest)
    }
    if (latest !== undefined) write(latest.tag, together > 1)
    for (const delivery of this.#told) {
      if (delivery.after === undefined) continue
      write(delivery.tag, false)
      unlink(delivery)
    }
    this.#told.length = 0
  }
}

function unlink(delivery: Unsettled): void {
  const { before, after } = delivery
  if (before === undefined || after === undefined) return
  before.after = after
  after.before = before
  // What has left must lead nowhere: see `UnderWay`.
  delivery.before = undefined
  delivery.after = undefined
}
