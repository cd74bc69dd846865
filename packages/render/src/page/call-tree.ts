import { formatMs, formatShare } from 'clew/trace'
import { grouped } from '../words.ts'
import { make } from './dom.ts'
import { callPaths, type Group, spreadOf } from './groups.ts'
import { rowName } from './names.ts'
import { RowList } from './row-list.ts'
import { TreeRows } from './tree-rows.ts'
import type { Scene, TraceView } from './view.ts'
import { moveIn } from './waterfall.ts'

/** What called what: calls of the same path merged, with how often and how long. */
export function callTreeView(scene: Scene): TraceView {
  const { calls } = scene
  const { groups, groupOf } = callPaths(calls)
  const rows = new TreeRows(ends(groups))
  const groupSelected = () => (scene.selected() < 0 ? -1 : groupOf[scene.selected()]!)
  const list = new RowList(
    {
      label: 'Call tree, calls of the same path merged',
      columns: ['call', 'total', 'self', 'critical path', 'least · median · most'],
      count: () => rows.shown.length,
      rowAt(index) {
        const group = rows.shown[index]!
        return {
          level: groups[group]!.depth + 1,
          open: isParent(groups, group) ? rows.isOpen(group) : undefined,
          kind: `group${groups[group]!.rows.some((row) => scene.found().has(row)) ? ' found' : ''}`,
          cells: cellsOf(scene, groups[group]!),
        }
      },
      select: (index) => scene.select(groups[rows.shown[index]!]!.row),
      toggle(index) {
        rows.toggle(rows.shown[index]!)
        scene.redraw()
      },
    },
    'p',
    scene.redraw,
  )
  const head = make('div', { class: 'heads', 'aria-hidden': 'true' })
  for (const [at, words] of ['Call', 'Total', 'Self', 'Critical path', 'Spread'].entries()) {
    head.append(make('div', { class: `cell c${at}` }, words))
  }
  const host = make('div', { class: 'paths' }, head, list.host)
  return {
    host,
    timed: false,
    draw: () => list.draw(rows.indexOf(groupSelected())),
    reveal() {
      const group = groupSelected()
      rows.openTo(group)
      if (rows.indexOf(group) >= 0) list.reveal(rows.indexOf(group))
    },
    // The same walk, among groups: a group is chosen by its first call.
    move: (step) =>
      moveIn(
        {
          ...scene,
          selected: groupSelected,
          select: (group) => scene.select(groups[group]?.row ?? -1),
          calls: { ...ends(groups) } as Scene['calls'],
        },
        rows,
        step,
      ),
  }
}

const isParent = (groups: readonly Group[], group: number) =>
  (groups[group + 1]?.depth ?? 0) > groups[group]!.depth

function ends(groups: readonly Group[]) {
  const end = new Int32Array(groups.length).fill(groups.length)
  const parent = Int32Array.from(groups, (group) => group.parent)
  const open: number[] = []
  for (const [index, { depth }] of groups.entries()) {
    while (open.length > depth) end[open.pop()!] = index
    open.push(index)
  }
  return { rows: groups.length, end, parent }
}

const time = (us: number) => formatMs(us / 1000)

function cellsOf({ calls, paint }: Scene, group: Group) {
  const spread = group.rows.length > 1 ? spreadOf(calls, group.rows) : undefined
  const share = calls.trace.totalUs > 0 ? group.critical / calls.trace.totalUs : 0
  const bar = make('span', { class: 'share', 'aria-hidden': 'true' })
  bar.style.width = `${Math.round(Math.min(1, share) * 100)}%`
  const name = [...rowName(calls, group.row, paint())]
  if (group.count > 1)
    name.splice(3, 0, make('span', { class: 'pill dark' }, `×${grouped(group.count)}`))
  if (group.errors > 1) name.push(make('span', { class: 'failed' }, `${group.errors} failed`))
  return [
    name,
    [time(group.total)],
    [time(group.self)],
    group.critical > 0 ? [bar, make('b', {}, formatShare(share))] : [],
    spread === undefined
      ? []
      : [`${time(spread.least)} · ${time(spread.median)} · ${time(spread.most)}`],
  ]
}
