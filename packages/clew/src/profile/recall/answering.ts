import { encodePacket, pieceTraceId, readRecall } from '../../trace/blocks.ts'
import type { Post } from '../post.ts'
import { Allowance } from './allowance.ts'
import type { Recorder } from './recorder.ts'

/** Questions a second that are answered; more are counted and left. */
const PER_SECOND = 20
/** Bytes that one question is answered with at the most. */
const MOST_BYTES = 1024 * 1024
/** Of one message, with room for a packet's head. */
const MESSAGE_BYTES = 60 * 1024
/** Questions that are being answered at a time. */
const MOST_AT_A_TIME = 4
/** Questions remembered, so that one that comes twice is answered once. */
const MOST_REMEMBERED = 256

/** What became of the questions that this process heard. */
export interface AnswerCounts {
  readonly answered: number
  /** There was nothing to tell. */
  readonly unknown: number
  /** Not answered: no question, one that came before, or too many. */
  readonly ignored: number
}

/** Answers what others ask of this process's flight recorder. Whatever they send costs little. */
export class Answering {
  readonly #recorder: Recorder
  readonly #post: Pick<Post, 'answer'>
  readonly #allowance = new Allowance(PER_SECOND)
  readonly #before = new Set<string>()
  #busy = 0
  #answered = 0
  #unknown = 0
  #ignored = 0

  constructor(recorder: Recorder, post: Pick<Post, 'answer'>) {
    this.#recorder = recorder
    this.#post = post
  }

  get counts(): AnswerCounts {
    return { answered: this.#answered, unknown: this.#unknown, ignored: this.#ignored }
  }

  /** Takes a question, whatever it is. Resolves when the answer is on its way. */
  async take(question: Uint8Array): Promise<void> {
    const request = readRecall(question)
    if (
      request === undefined ||
      this.#before.has(request.nonce) ||
      this.#busy >= MOST_AT_A_TIME ||
      !this.#allowance.take()
    ) {
      this.#ignored++
      return
    }
    this.#remember(request.nonce)
    const found = this.#recorder.recall(request.traceIds)
    if (found.length === 0) {
      this.#unknown++
      return
    }
    this.#answered++
    this.#busy++
    try {
      let bytes = 0
      for (const message of messagesOf(found)) {
        bytes += message.length
        // Nobody reads on where one was not taken.
        if (bytes > MOST_BYTES || !(await this.#post.answer(request.inbox, message))) return
      }
    } finally {
      this.#busy--
    }
  }

  #remember(nonce: string): void {
    const [oldest] = this.#before
    if (this.#before.size >= MOST_REMEMBERED && oldest !== undefined) this.#before.delete(oldest)
    this.#before.add(nonce)
  }
}

/** Pieces of one trace go together as far as they fit; packets are messages by themselves. */
function* messagesOf(found: readonly Uint8Array[]): Generator<Uint8Array> {
  const byTrace = new Map<string, Uint8Array[]>()
  for (const bytes of found) {
    const traceId = pieceTraceId(bytes)
    // What holds a root's own record comes first: a reader then knows where the rest belongs.
    if (traceId === undefined) yield bytes
    else byTrace.set(traceId, [...(byTrace.get(traceId) ?? []), bytes])
  }
  for (const [traceId, all] of byTrace) {
    for (const pieces of groupsOf(all)) {
      const [first, ...more] = pieces
      if (more.length === 0) yield first!
      else yield encodePacket({ traceId, pieces, ended: false })
    }
  }
}

function* groupsOf(pieces: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let group: Uint8Array[] = []
  let bytes = 0
  for (const piece of pieces) {
    if (group.length > 0 && bytes + piece.length > MESSAGE_BYTES) {
      yield group
      group = []
      bytes = 0
    }
    group.push(piece)
    bytes += piece.length + 4
  }
  if (group.length > 0) yield group
}
