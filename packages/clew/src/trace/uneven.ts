import * as format from './format.ts'
import { NEW_NAME, Skim } from './skim.ts'
import { LEAST_EXCESS_MS, LEAST_SIBLINGS, standingOut } from './straggling.ts'

/** Names 0 and 1 are the owner's service and method. */
const OWN_NAMES = 2

/** The calls of one owner, while they are gone through. */
interface Level {
  end: number
  names: number
  readonly services: number[]
  readonly methods: number[]
  readonly timesMs: number[]
}

const skim = new Skim()
/** Used again and again, one for each depth. */
const levels: Level[] = []

/**
 * Whether a block, or a piece, has siblings of one method of which one took much longer than the others:
 * by the measure of `stragglers`, but without asking whether anybody waited for it. So what has a
 * straggler among its siblings is true, and little else. False for damaged bytes.
 */
export function isUneven(bytes: Uint8Array): boolean {
  const uneven = skim.begin(bytes) && skim.calls >= LEAST_SIBLINGS && anyStandsOut(bytes.length)
  skim.finish()
  return uneven
}

function anyStandsOut(end: number): boolean {
  let depth = 0
  let level = levelAt(0, end)
  for (;;) {
    while (skim.at >= level.end) {
      if (standsOut(level)) return true
      if (depth === 0) return false
      level = levels[--depth]!
    }
    const kind = skim.next()
    if (kind === undefined) return false
    const names = level.names
    level.names += skim.newNames
    if (kind !== format.ITEM_CALL) continue
    if (!skim.late && skim.tookUs !== undefined) note(level, names, skim.tookUs / 1000)
    if (skim.end !== undefined && skim.end > skim.at) level = levelAt(++depth, skim.end)
  }
}

function levelAt(depth: number, end: number): Level {
  levels[depth] ??= { end, names: 0, services: [], methods: [], timesMs: [] }
  const level = levels[depth]
  level.end = end
  level.names = OWN_NAMES
  level.services.length = 0
  level.methods.length = 0
  level.timesMs.length = 0
  return level
}

function note(level: Level, names: number, tookMs: number): void {
  let next = names
  level.services.push(skim.service === NEW_NAME ? next++ : skim.service)
  level.methods.push(skim.method === NEW_NAME ? next : skim.method)
  level.timesMs.push(tookMs)
}

function standsOut({ services, methods, timesMs }: Level): boolean {
  if (timesMs.length < LEAST_SIBLINGS) return false
  let [least, most] = [Number.POSITIVE_INFINITY, 0]
  for (const time of timesMs) {
    if (time < least) least = time
    if (time > most) most = time
  }
  if (most - least <= LEAST_EXCESS_MS) return false
  // Of one service, and of several that are asked for the same, as shards are.
  const ofBoth = methods.map((method, index) => method * 65_536 + services[index]!)
  return anyGroup(ofBoth, timesMs) || anyGroup(methods, timesMs)
}

function anyGroup(keys: readonly number[], timesMs: readonly number[]): boolean {
  const groups = new Map<number, number[]>()
  for (const [index, key] of keys.entries()) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [timesMs[index]!])
    else group.push(timesMs[index]!)
  }
  for (const group of groups.values()) {
    if (group.length >= LEAST_SIBLINGS && standingOut(group).indices.length > 0) return true
  }
  return false
}
