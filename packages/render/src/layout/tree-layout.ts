import type { CallTree } from 'clew/trace'
import { type FlextreeNode, flextree } from 'd3-flextree'
import { type PictureOptions, treeOptions } from '../options.ts'
import { outlineOf } from '../outline/outline.ts'
import type { Outline, Place } from '../outline/place.ts'
import { CARD, type CardContent, cardContent, cardHeight, cardWidth } from './card-content.ts'

/** A place's card; pixels from the upper left corner of the tree. */
export interface PlacedCard {
  readonly place: Place
  readonly content: CardContent
  readonly level: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A line from a caller's card to a callee's: right from the one, along the trunk, right to the other. */
export interface PlacedLink {
  readonly caller: PlacedCard
  readonly callee: PlacedCard
  readonly fromX: number
  readonly fromY: number
  /** Where the vertical part runs: all callees of a caller share it. */
  readonly trunkX: number
  readonly toX: number
  readonly toY: number
  readonly onPath: boolean
  readonly detached: boolean
}

export interface TreeLayout {
  readonly width: number
  readonly height: number
  /** Callers before callees. */
  readonly cards: readonly PlacedCard[]
  readonly links: readonly PlacedLink[]
  readonly outline: Outline
}

const COLUMN_GAP = 58
const TRUNK = 24
const SIBLING_GAP = 13
const COUSIN_GAP = 14

/** The layout algorithm recurses; a picture of more columns has no reader, not even in full. */
const MOST_LEVELS = 500

/**
 * Lays the tree out from left to right: one column a level, callees from top to bottom in start
 * order, every caller centred on its callees, and nothing overlapping (a tidy tree with cards of
 * different sizes; van der Ploeg, *Drawing non-layered tidy trees in linear time*).
 */
export function treeLayout(tree: CallTree, options: PictureOptions = {}): TreeLayout {
  const { maxCards, maxLevels, minShare, full } = treeOptions(options)
  const outline = outlineOf(tree, {
    maxPlaces: maxCards,
    maxLevels: full ? MOST_LEVELS : Math.min(maxLevels, MOST_LEVELS),
    minShare,
    full,
  })
  const contents = new Map<Place, CardContent>()
  const widths: number[] = []
  for (const { place, level } of outline.places) {
    const content = cardContent(place, tree.totalMs, level === 0)
    contents.set(place, content)
    widths[level] = Math.max(widths[level] ?? 0, cardWidth(content))
  }
  const placed = placeCards(outline, contents, widths)
  const cards = [...placed.values()]
  return {
    width: largest(cards, (card) => card.x + card.width + stackOf(card.place)),
    height: largest(cards, (card) => card.y + card.height + stackOf(card.place)),
    cards,
    links: linksOf(cards, placed),
    outline,
  }
}

function placeCards(
  outline: Outline,
  contents: ReadonlyMap<Place, CardContent>,
  widths: readonly number[],
): Map<Place, PlacedCard> {
  const heightOf = (place: Place) => cardHeight(contents.get(place)!) + stackOf(place)
  const tidy = flextree<Place>({
    children: (place) => [...place.places],
    nodeSize: ({ data, depth }) => [heightOf(data) + SIBLING_GAP, widths[depth]! + COLUMN_GAP],
    spacing: (one, other) => (one.parent === other.parent ? 0 : COUSIN_GAP),
  })
  const laid = tidy(tidy.hierarchy(outline.root))
  const all: FlextreeNode<Place>[] = []
  laid.eachBefore((item) => {
    all.push(item)
  })
  const top = -largest(all, (item) => cardHeight(contents.get(item.data)!) / 2 - item.x)
  const placed = new Map<Place, PlacedCard>()
  for (const { data: place, depth: level, x, y } of all) {
    const content = contents.get(place)!
    const height = cardHeight(content)
    placed.set(place, {
      place,
      content,
      level,
      x: round(y),
      y: round(x - height / 2 - top),
      width: widths[level]!,
      height,
    })
  }
  return placed
}

function linksOf(
  cards: readonly PlacedCard[],
  placed: ReadonlyMap<Place, PlacedCard>,
): readonly PlacedLink[] {
  return cards.flatMap((caller) =>
    caller.place.places.map((place): PlacedLink => {
      const callee = placed.get(place)!
      const fromX = caller.x + caller.width
      return {
        caller,
        callee,
        fromX,
        fromY: middle(caller),
        trunkX: fromX + TRUNK,
        toX: callee.x,
        toY: middle(callee),
        onPath: place.onPath,
        detached: callee.content.kind === 'calls' && callee.content.detached,
      }
    }),
  )
}

/** Where links meet a card: in the middle, so that a chain of calls stays on one line. */
function middle(card: PlacedCard): number {
  return round(card.y + card.height / 2)
}

function stackOf(place: Place): number {
  return place.kind === 'repeats' || place.kind === 'merged' ? CARD.stack : 0
}

function largest<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((most, item) => Math.max(most, of(item)), Number.NEGATIVE_INFINITY)
}

/** Half pixels: sharp lines at scales one and two. */
function round(value: number): number {
  return Math.round(value * 2) / 2
}
