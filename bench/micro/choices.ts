import { ById, ContextValues, NewTable, UnderWay } from 'clew/testing/steps'
import type { MadeCalls } from './made-calls.ts'
import { repeated, type Step } from './step.ts'

/** Calls that are under way at a time; all come before the first goes. */
const TOGETHER = 100

/**
 * What every call goes through, beside what the language has for it. Garbage that is left behind is part of the
 * difference, so these are measured for so long that it is collected meanwhile.
 */
export function choices(calls: MadeCalls): readonly Step[] {
  const [list, set] = [new UnderWay<object>(), new Set<object>()]
  const values = new ContextValues()
  const [byId, map] = [new ById<object>(), new Map<string, object>()]
  return [
    comingAndGoing('underWay', 'a call made, under way among a hundred, gone: in `UnderWay`', {
      come: (index) => list.add(calls.leaving(index, values)),
      go: (place) => place.leave(),
    }),
    comingAndGoing('underWaySet', 'the same: in a `Set`', {
      come(index) {
        const call = calls.leaving(index, values)
        set.add(call)
        return call
      },
      go: (call) => set.delete(call),
    }),
    comingAndGoing('byId', 'a call made, waiting by its id among a hundred, gone: in `ById`', {
      come: (index) => byId.add(calls.correlationId(index), calls.leaving(index, values)),
      go(waiting) {
        byId.delete(waiting)
        return true
      },
    }),
    comingAndGoing('byIdMap', 'the same: in a `Map`', {
      come(index) {
        const id = calls.correlationId(index)
        map.set(id, calls.leaving(index, values))
        return id
      },
      go: (id) => map.delete(id),
    }),
    filling('table', 'a header table of two entries: `new NewTable()`', () => new NewTable()),
    filling('tableBare', 'the same: `Object.create(null)`', () => Object.create(null)),
  ]
}

interface Passing<T> {
  readonly come: (index: number) => T
  /** False where it was not there. */
  readonly go: (place: T) => boolean
}

function comingAndGoing<T>(key: string, title: string, { come, go }: Passing<T>): Step {
  const run = (times: number) => {
    let gone = 0
    for (let done = 0; done < times; done += TOGETHER) {
      const places: T[] = []
      for (let index = 0; index < TOGETHER; index++) places.push(come(done + index))
      for (const place of places) if (go(place)) gone++
    }
    return gone
  }
  return { key, title, group: 'choices', grain: TOGETHER, run }
}

function filling(key: string, title: string, make: () => Record<string, unknown>): Step {
  const once = (index: number) => {
    const table = make()
    table.call_id_stack = index
    table.traceparent = 1
    return Object.keys(table).length
  }
  return { key, title, group: 'choices', run: repeated(once) }
}
