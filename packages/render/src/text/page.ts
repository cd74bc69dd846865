import type { CallTree } from 'clew/trace'
import type { Outline } from '../outline/place.ts'
import type { Paint } from './paint.ts'

/** What all parts of the output need to know. */
export interface Page {
  readonly tree: CallTree
  readonly outline: Outline
  readonly width: number
  readonly levels: number
  readonly unicode: boolean
  readonly paint: Paint
}
