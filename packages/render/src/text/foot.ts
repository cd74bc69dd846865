import { counted, grouped } from '../words.ts'
import { cut, printable } from './columns.ts'
import type { Page } from './page.ts'

/** What the signs mean that occur, what was folded, and what was odd about the trace. */
export function foot(
  { tree, outline, unicode, width, paint }: Page,
  isTree = true,
): readonly string[] {
  const say = (text: string) => printable(text, unicode)
  const { places } = outline
  const notes: string[] = []
  if (isTree && places.some(({ place, level }) => level > 0 && place.onPath)) {
    notes.push(`${unicode ? '━' : '='} slowest path`)
  }
  if (isTree && places.some(({ place }) => place.kind === 'repeats' || place.kind === 'merged')) {
    notes.push('×n repeats: median and max')
  }
  if (outline.foldedCalls > 0) {
    notes.push(`folded: ${grouped(outline.foldedCalls)} of ${counted(outline.calls, 'call')}`)
  }
  const problems = tree.problems.slice(0, 5).map((problem) => `problem: ${problem.message}`)
  if (tree.problems.length > 5) {
    problems.push(`and ${counted(tree.problems.length - 5, 'more problem')}`)
  }
  return [
    ...(notes.length + problems.length > 0 ? [''] : []),
    ...(notes.length > 0 ? [paint('quiet', cut(say(notes.join('   ')), width))] : []),
    ...problems.map((problem) => paint('doubt', cut(say(problem), width))),
  ]
}
