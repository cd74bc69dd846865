import {
  type Bottleneck,
  bottlenecks,
  type CallNode,
  type CallTree,
  type CriticalSegment,
  callName,
  criticalPath,
  FAILURE_KINDS,
  type Failure,
  failures,
  formatMs,
  formatShare,
  missing,
  pauseEffects,
  retries,
  stragglers,
  verdict,
} from 'clew/trace'
import { counted, DOUBTS, GAPS } from './analysis-words.ts'
import type { NextStep, Page, PageRow } from './page.ts'
import { stragglerRows } from './straggler-rows.ts'

/** Lines of each section; what is beyond is counted. */
const MOST = 8

/** The whole answer of one trace, on one screen. */
export function tellTrace(page: Page, tree: CallTree, next: readonly NextStep[]): void {
  const path = criticalPath(tree)
  page.title(callName(tree.root), aboutTrace(tree))
  page.heading('VERDICT')
  const { sentences, unclear } = verdict(tree)
  for (const [at, sentence] of sentences.entries()) {
    page.sentence(sentence, at === 0 && !unclear ? 'bold' : 'plain')
  }
  if (unclear)
    page.sentence('This is as much as the trace tells: the reason is not clear.', 'yellow')
  tellFailures(page, failures(tree, path))
  tellTime(page, tree, path)
  const slow = stragglers(tree, path)
  if (slow.length > 0) {
    page.table(...stragglerRows(slow.slice(0, MOST)))
    tellMore(page, slow.length - MOST, 'straggler')
  }
  tellRetries(page, tree)
  tellPauses(page, tree, path)
  tellClocks(page, tree)
  tellMissing(page, tree)
  page.steps(next)
}

function aboutTrace(tree: CallTree): string {
  const { root, calls, traceId, startedMs } = tree
  const ended = root.status === 'ok' ? 'ok' : (root.error ?? root.status)
  const id = traceId === '' ? [] : [`trace …${traceId.slice(-8)}`]
  const isDate = startedMs > 86_400_000 && startedMs < 8.64e15
  const begun = isDate ? [new Date(startedMs).toISOString().slice(0, 23).replace('T', ' ')] : []
  const facts = [formatMs(tree.totalMs), counted(calls, 'call'), ended, ...id, ...begun]
  return facts.join(' · ')
}

function tellFailures(page: Page, found: readonly Failure[]): void {
  if (found.length === 0) return
  const rows = found.slice(0, MOST).map((failure): PageRow => {
    const { origin, kind, masked, handler } = failure
    const cells = [
      callName(origin),
      origin.host ?? '',
      origin.error ?? FAILURE_KINDS[kind],
      formatMs(origin.offsetMs),
      formatMs(origin.totalMs),
      handler !== undefined ? 'nobody waited' : masked ? 'coped with' : 'root failed',
    ]
    return { cells, below: wayUp(failure), red: !masked }
  })
  page.table(
    [
      { title: 'WHO FAILED FIRST', least: 16 },
      { title: 'HOST', least: 8 },
      { title: 'HOW', least: 12 },
      { title: 'AT', side: 'right' },
      { title: 'AFTER', side: 'right', spare: true },
      { title: 'EFFECT', spare: true },
    ],
    rows,
  )
  tellMore(page, found.length - MOST, 'failure')
}

function wayUp({ passedOn, suspect, origin, doubt }: Failure): readonly string[] {
  const words: string[] = []
  if (suspect !== undefined && suspect !== origin) {
    words.push(`at work when its caller stopped waiting: ${place(suspect)}`)
  }
  if (passedOn.length > 0) {
    const names = passedOn.slice(0, 5).map(callName)
    const more = passedOn.length > 5 ? `, and ${passedOn.length - 5} more` : ''
    words.push(`passed on by ${names.join(', ')}${more}`)
  }
  if (doubt !== undefined) words.push(`not certain: ${DOUBTS[doubt]}`)
  return words
}

const place = (call: CallNode) =>
  call.host === undefined ? callName(call) : `${callName(call)} on ${call.host}`

interface Spent {
  readonly first: Bottleneck
  ms: number
  readonly legs: Record<Bottleneck['where'], number>
  calls: number
}

function tellTime(page: Page, tree: CallTree, path: readonly CriticalSegment[]): void {
  const places = new Map<string, Spent>()
  for (const bottleneck of bottlenecks(tree, path)) {
    const name = callName(bottleneck)
    const spent = places.get(name)
    const legs = { work: 0, wait: 0, start: 0 }
    const sum = spent ?? { first: bottleneck, ms: 0, legs, calls: 0 }
    sum.ms += bottleneck.ms
    sum.legs[bottleneck.where] += bottleneck.ms
    sum.calls = Math.max(sum.calls, bottleneck.calls)
    places.set(name, sum)
  }
  const all = [...places].sort(([, a], [, b]) => b.ms - a.ms)
  if (all.length === 0) return
  const leg = (ms: number) => (ms > 0 ? formatMs(ms) : '')
  const rows = all.slice(0, MOST).map(([name, { first, ms, legs, calls }]): PageRow => {
    const share = tree.totalMs > 0 ? ms / tree.totalMs : 0
    const host = calls > 1 ? counted(calls, 'call') : (first.host ?? '')
    const times = [formatMs(ms), formatShare(share), page.bar(share)]
    return { cells: [name, host, ...times, leg(legs.work), leg(legs.wait), leg(legs.start)] }
  })
  page.table(
    [
      { title: 'WHERE THE TIME WENT', least: 16 },
      { title: 'WHERE', least: 8 },
      { title: 'TIME', side: 'right' },
      { title: 'SHARE', side: 'right' },
      { title: '', spare: true },
      { title: 'IN IT', side: 'right', spare: true },
      { title: 'ON THE WAY', side: 'right', spare: true },
      { title: 'TO BEGIN', side: 'right', spare: true },
    ],
    rows,
  )
  tellMore(page, all.length - MOST, 'method')
}

function tellRetries(page: Page, tree: CallTree): void {
  const found = retries(tree).filter(({ inferred }) => !inferred)
  if (found.length === 0) return
  const rows = found.slice(0, MOST).map(({ tries, costMs }): PageRow => {
    const last = tries.at(-1)!
    const ended = last.status === 'ok' ? 'the last one succeeded' : 'none succeeded'
    return { cells: [callName(last), String(tries.length), formatMs(costMs), ended] }
  })
  page.table(
    [
      { title: 'TRIED AGAIN', least: 16 },
      { title: 'TRIES', side: 'right' },
      { title: 'COST', side: 'right' },
      { title: 'RESULT', spare: true },
    ],
    rows,
  )
  tellMore(page, found.length - MOST, 'call')
}

/** What no call says of itself: that its process did nothing for anybody. */
function tellPauses(page: Page, tree: CallTree, path: readonly CriticalSegment[]): void {
  const found = pauseEffects(tree, path).filter(({ overlapped }) => overlapped > 0)
  if (found.length === 0) return
  const rows = found.slice(0, MOST).map(({ pause, calls, overlapped, criticalMs }): PageRow => {
    const { host, pid, kind, timeMs, ms } = pause
    const [first] = calls
    const others = overlapped > 1 ? ` and ${counted(overlapped - 1, 'more call')}` : ''
    return {
      cells: [
        pid === undefined ? host : `${host}:${pid}`,
        kind === 'gc' ? 'garbage collection' : 'event loop stood still',
        formatMs(timeMs - tree.startedMs),
        formatMs(ms),
        formatMs(criticalMs),
        `${callName(first!.call)}${others}`,
      ],
    }
  })
  page.table(
    [
      { title: 'PAUSES (INFERRED)', least: 12 },
      { title: 'WHAT' },
      { title: 'AT', side: 'right' },
      { title: 'LASTED', side: 'right' },
      { title: 'HELD UP THE ANSWER', side: 'right', spare: true },
      { title: 'FELL INTO', least: 16, spare: true },
    ],
    rows,
  )
  tellMore(page, found.length - MOST, 'pause')
}

/** Clocks that were not believed; `clew show --raw` has them as they are. */
function tellClocks(page: Page, { clocks }: CallTree): void {
  const found = clocks.filter(({ adjusted }) => adjusted)
  if (found.length === 0) return
  const rows = found.slice(0, MOST).map(({ host, offsetMs, errorMs }): PageRow => {
    const told = `${formatMs(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind'}`
    return { cells: [host, told, errorMs === undefined ? 'not bounded' : formatMs(errorMs)] }
  })
  page.table(
    [
      { title: 'CLOCKS ALIGNED', least: 16 },
      { title: "AGAINST THE ROOT'S", side: 'right' },
      { title: 'AT MOST WRONG BY', side: 'right' },
    ],
    rows,
  )
  tellMore(page, found.length - MOST, 'clock')
}

function tellMissing(page: Page, tree: CallTree): void {
  const gaps = tree.complete ? [] : missing(tree)
  const odd = tree.problems.slice(0, 3)
  if (gaps.length === 0 && odd.length === 0) return
  if (gaps.length > 0) {
    const rows = gaps.slice(0, MOST).map((gap): PageRow => {
      const [what, believe] = GAPS[gap.kind]
      const missingThere = gap.kind === 'lost' ? 'below ' : ''
      return {
        cells: [`${missingThere}${callName(gap)}`, String(gap.calls), what],
        below: [believe],
      }
    })
    page.table(
      [
        { title: 'WHAT IS MISSING', least: 16 },
        { title: 'CALLS', side: 'right' },
        { title: 'WHY', least: 20 },
      ],
      rows,
    )
    tellMore(page, gaps.length - MOST, 'place')
  } else {
    page.heading('WHAT IS ODD')
  }
  for (const { message, callId } of odd) {
    page.sentence(callId === undefined ? message : `call ${callId}: ${message}`, 'dim')
  }
  tellMore(page, tree.problems.length - odd.length, 'odd thing')
}

function tellMore(page: Page, count: number, word: string): void {
  if (count > 0) page.sentence(`and ${counted(count, `more ${word}`)}; --json has them`, 'dim')
}
