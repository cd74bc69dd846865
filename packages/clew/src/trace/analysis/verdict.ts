import type { CallTree } from '../call-node.ts'
import { type Bottleneck, bottlenecks } from './bottlenecks.ts'
import { criticalPath } from './critical-path.ts'
import { type Failure, failures } from './failures.ts'
import { formatMs, formatShare } from './format-ms.ts'
import { orphansOf } from './orphans.ts'
import { type PauseEffect, pauseEffects } from './pauses.ts'
import { type Retry, retries } from './retries.ts'
import { type Straggler, type StragglerOptions, stragglers } from './stragglers.ts'
import { type Unfinished, unfinished } from './unfinished.ts'
import {
  asideSentence,
  copedSentence,
  doubtSentence,
  failureSentence,
  othersSentence,
  pauseSentence,
  retrySentence,
  stragglerSentence,
  unfinishedSentence,
  wentTo,
} from './verdict-words.ts'
import { isHandler, placesOf, spokenName } from './walk.ts'

/** A trace's answer in a sentence or two, and what it rests on. */
export interface Verdict {
  readonly sentences: readonly string[]
  /** True where the trace does not tell, and the sentences say why. */
  readonly unclear: boolean
  readonly failure?: Failure
  /** What everybody still waited for when the trace was asked for. */
  readonly unfinished?: Unfinished
  /** What failed without anybody waiting for it. */
  readonly aside?: Failure
  readonly straggler?: Straggler
  readonly bottleneck?: Bottleneck
  readonly retry?: Retry
  /** A pause of a process that fell into what the answer waited for. Inferred. */
  readonly pause?: PauseEffect
}

/** Share from which on one place can be called the reason. */
const CLEAR = 0.3
/** Of the greatest share: what a straggler must explain of it to be the answer. */
const STRAGGLER_SHARE = 0.4
/** Share of the total from which on the cost of trying again is told. */
const RETRY_SHARE = 0.1
/** Share of the total from which on a pause of a process is told. */
const PAUSE_SHARE = 0.1
/** From this part of the greatest share on, a second place is named as well. */
const NEARLY = 0.9

/**
 * What failed first and who only passed it on; which sibling straggled; else where the time went. What
 * the trace cannot tell is said to be unclear, with the reason: a wrong name would be worse.
 */
export function verdict(tree: CallTree, options: StragglerOptions = {}): Verdict {
  if (tree.calls === 0) return { sentences: ['There is no call in this trace.'], unclear: true }
  const path = criticalPath(tree)
  const failed = failures(tree, path)
  const failure = failed.find(({ masked }) => !masked)
  const aside = failed.find(({ handler }) => handler !== undefined)
  const coped = failed.filter(isCopedWith)
  const places = bottlenecks(tree, path)
  const [bottleneck] = places
  const straggler = worst(stragglers(tree, path, options))
  const retry = costly(retries(tree), tree)
  const open = failure === undefined ? unfinished(tree) : undefined
  const sentences: string[] = []
  let unclear = false
  if (failure !== undefined) {
    sentences.push(failureSentence(failure, tree))
    unclear = failure.doubt !== undefined
    const others = othersSentence(failed)
    if (others !== undefined) sentences.push(others)
  } else if (open !== undefined) {
    sentences.push(unfinishedSentence(open, tree))
  } else if (straggler !== undefined && explains(straggler, bottleneck)) {
    sentences.push(stragglerSentence(straggler, tree))
    unclear = straggler.leg === undefined
  } else {
    const [sentence, isClear] = timeSentence(places, tree)
    sentences.push(sentence)
    unclear = !isClear
  }
  if (retry !== undefined) sentences.push(retrySentence(retry, tree))
  // Who failed first says enough, and so does what was tried again.
  else if (failure === undefined && coped.length > 0) sentences.push(copedSentence(coped, tree))
  if (aside !== undefined) sentences.push(asideSentence(aside, tree))
  const [longest] = pauseEffects(tree, path)
  const matters = longest !== undefined && longest.criticalMs >= PAUSE_SHARE * tree.totalMs
  const pause = matters && longest.calls.length > 0 ? longest : undefined
  if (pause !== undefined) sentences.push(pauseSentence(pause))
  const doubt = doubtSentence(tree)
  if (doubt !== undefined) sentences.push(doubt)
  return {
    sentences,
    unclear,
    ...(failure && { failure }),
    ...(open && { unfinished: open }),
    ...(aside && { aside }),
    ...(straggler && { straggler }),
    ...(bottleneck && { bottleneck }),
    ...(retry && { retry }),
    ...(pause && { pause }),
  }
}

/** Somebody waited for it, and did well all the same. */
const isCopedWith = ({ masked, handler, origin, passedOn }: Failure) =>
  masked && handler === undefined && !isHandler(origin) && !passedOn.some(isHandler)

/** The one whose being like the others would help most. */
function worst(found: readonly Straggler[]): Straggler | undefined {
  let most: Straggler | undefined
  for (const straggler of found) {
    if (most === undefined || straggler.impactMs > most.impactMs) most = straggler
  }
  return most
}

const explains = ({ impactMs }: Straggler, bottleneck: Bottleneck | undefined) =>
  bottleneck === undefined || impactMs >= STRAGGLER_SHARE * bottleneck.ms

/** A loop over several things looks like trying again where no try is numbered: it must have helped. */
function costly(found: readonly Retry[], { totalMs }: CallTree): Retry | undefined {
  return found.find(({ costMs, inferred, tries, parent }) => {
    const helped = tries.at(-1)!.status === 'ok' && parent.status === 'ok' && tries.length < 10
    if (isHandler(tries[0]!)) return false
    return costMs >= RETRY_SHARE * totalMs && costMs > 0 && (!inferred || helped)
  })
}

function timeSentence(places: readonly Bottleneck[], tree: CallTree): [string, clear: boolean] {
  const [first, second] = places
  const { root } = tree
  const total = formatMs(tree.totalMs)
  if (root.totalMs === undefined && !root.placeholder) {
    return [`How long the call took is not known; what was seen of it took ${total}.`, false]
  }
  if (first === undefined) return [`The call took ${total}.`, false]
  const share = formatShare(first.shareOfTotal)
  const then = second && `${formatShare(second.shareOfTotal)} ${wentTo(second, tree)}`
  if (first.shareOfTotal < CLEAR) {
    const more = then === undefined ? '' : `, then ${then}`
    const none = `No single place explains the ${total}: the most, ${share}, `
    return [`${none}${wentTo(first, tree)}${more}.`, false]
  }
  if (second !== undefined && second.shareOfTotal >= NEARLY * first.shareOfTotal) {
    return [`Two places share the ${total}: ${share} ${wentTo(first, tree)}, and ${then}.`, false]
  }
  const doubt = hiddenBy(first, tree)
  return [`${share} of ${total} ${wentTo(first, tree)}.${doubt ?? ''}`, doubt === undefined]
}

/** Why the time may be that of others: of which only a sum, or nothing, or no caller is left. */
function hiddenBy({ call, where }: Bottleneck, { root, problems }: CallTree): string | undefined {
  if (call.placeholder || problems.some(({ kind }) => kind === 'several_roots')) {
    return ' How its parts belong together is unclear.'
  }
  if (where === 'work' && (call.folds.length > 0 || call.missingCalls > 0)) {
    return ' How much of it was its own is unclear.'
  }
  if (call.edge === 'call' && call.handleMs === undefined) {
    return ' Its callee left no record: what it spent it on is unclear.'
  }
  // A database calls nobody, and what was on its way was at no work.
  if (call.edge === 'down' || where === 'wait') return undefined
  if (!problems.some(({ kind }) => kind === 'orphan')) return undefined
  const longest = orphansOf(placesOf(root)).find((orphan) => orphan !== call)
  if (longest === undefined) return undefined
  return ` Whether ${spokenName(longest)} was part of it is unclear: its caller left no record.`
}
