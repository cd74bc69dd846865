import { type CallTree, formatMs, verdict } from 'clew/trace'
import { doubtOf, type Facts } from '../facts.ts'
import type { Outline } from '../outline/place.ts'
import { visible } from '../visible.ts'
import { counted, foreignOf, grouped, utc } from '../words.ts'

/** A figure at the top of a picture. */
export interface KeyFigure {
  readonly label: string
  readonly value: string
  /** @default 'plain' */
  readonly tone?: 'plain' | 'path' | 'failure'
}

export interface HeaderContent {
  readonly title: string
  readonly service: string
  readonly traceId: string
  readonly time: string | undefined
  readonly figures: readonly KeyFigure[]
  /** What the picture lacks: `doubt` for what did not come, `plain` for what was left out on purpose. */
  readonly notices: readonly { readonly tone: 'doubt' | 'plain'; readonly text: string }[]
  /** The verdict. */
  readonly sentences: readonly string[]
}

/** What the top of both pictures says; `last` is the figure that differs. */
export function headerContent(
  tree: CallTree,
  about: {
    readonly facts: Facts
    readonly outline: Pick<Outline, 'calls' | 'foldedCalls'>
    readonly last: KeyFigure
    readonly verdict: boolean
  },
): HeaderContent {
  const { facts, outline } = about
  const { service, method } = tree.root
  return {
    title: visible(method === '' ? service : method) || 'trace',
    service: method === '' ? '' : visible(service),
    traceId: visible(tree.traceId),
    time: whenAndFrom(tree),
    figures: [
      { label: 'DURATION', value: formatMs(tree.totalMs) },
      { label: 'CALLS', value: grouped(facts.calls) },
      { label: 'SERVICES', value: grouped(facts.services) },
      {
        label: 'ERRORS',
        value: grouped(facts.failed),
        tone: facts.failed > 0 ? 'failure' : 'plain',
      },
      about.last,
    ],
    notices: noticesOf(tree, facts, outline),
    sentences: about.verdict ? verdict(tree).sentences.map(visible) : [],
  }
}

function whenAndFrom(tree: CallTree): string | undefined {
  const known = [utc(tree.startedMs), foreignOf(tree)].filter((words) => words !== undefined)
  return known.length === 0 ? undefined : visible(known.join(' · '))
}

function noticesOf(
  tree: CallTree,
  facts: Facts,
  outline: Pick<Outline, 'calls' | 'foldedCalls'>,
): HeaderContent['notices'] {
  const notices: { tone: 'doubt' | 'plain'; text: string }[] = []
  const doubt = doubtOf(facts)
  if (doubt !== undefined) notices.push({ tone: 'doubt', text: doubt })
  if (tree.problems.length > 0) {
    const first = visible(tree.problems[0]!.message)
    const more =
      tree.problems.length > 1 ? `, and ${counted(tree.problems.length - 1, 'more')}` : ''
    notices.push({ tone: 'doubt', text: `${first}${more}` })
  }
  if (outline.foldedCalls > 0) {
    notices.push({
      tone: 'plain',
      text: `folded: ${grouped(outline.foldedCalls)} of ${counted(outline.calls, 'call')}`,
    })
  }
  return notices
}
