/** What a picture shows and what it leaves out. */
export interface PictureOptions {
  /**
   * Most cards or rows. What is beyond is folded into places that say how many calls and how much
   * time they stand for, least time first; the slowest path and failures stay longest.
   * @default 300
   */
  readonly maxCards?: number | undefined
  /**
   * Most levels of calls below calls. Of a longer slowest path the middle is folded.
   * @default 12 for the tree, 24 for the waterfall
   */
  readonly maxLevels?: number | undefined
  /**
   * Where there are too many cards: the share of the trace's time below which calls are folded first.
   * @default 0.01
   */
  readonly minShare?: number | undefined
  /**
   * Every call by itself, nothing merged or folded, however large the picture gets. (A tree's
   * columns end at level 500 even so.)
   * @default false
   */
  readonly full?: boolean | undefined
}

/** Ways to draw one trace. */
export type PictureView = 'tree' | 'waterfall' | 'flame' | 'critical-path'

export interface RenderOptions extends PictureOptions {
  /**
   * `tree`: one card a call, from left to right (the paper's Figure 2). `waterfall`: one row a call
   * over a time axis. `flame`: blocks over time, callees below callers. `critical-path`: one lane a
   * method, for whom the answer waited at each moment.
   * @default 'tree'
   */
  readonly view?: PictureView | undefined
  /**
   * Least width of the picture in pixels; it grows as it needs to.
   * @default 760 for the tree, 1480 for the others
   */
  readonly width?: number | undefined
  /**
   * Whether the header tells what failed first and where the time went.
   * @default true
   */
  readonly verdict?: boolean | undefined
}

type Filled = { readonly [Key in keyof PictureOptions]-?: NonNullable<PictureOptions[Key]> }

const TREE_DEFAULTS: Filled = { maxCards: 300, maxLevels: 12, minShare: 0.01, full: false }

/** The tree's options with their defaults. */
export function treeOptions(options: PictureOptions): Filled {
  return filled(options, TREE_DEFAULTS)
}

/** The waterfall's options with their defaults. */
export function waterfallOptions(options: PictureOptions): Filled {
  return filled(options, { ...TREE_DEFAULTS, maxLevels: 24 })
}

function filled(options: PictureOptions, defaults: Filled): Filled {
  const { maxCards, maxLevels, minShare, full } = defaults
  return {
    maxCards: Math.max(1, options.maxCards ?? maxCards),
    maxLevels: Math.max(3, options.maxLevels ?? maxLevels),
    minShare: options.minShare ?? minShare,
    full: options.full ?? full,
  }
}
