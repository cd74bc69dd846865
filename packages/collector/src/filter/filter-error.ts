/** A filter that cannot be read: what is wrong, where, and what would be right. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  /** Where in the text, in UTF-16 units from 0. */
  readonly position: number
  /** What to write instead. */
  readonly advice: string

  constructor(message: string, position: number, advice: string) {
    super(message)
    this.position = position
    this.advice = advice
  }
}
