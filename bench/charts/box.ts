/** A place on a picture, in its units; y grows downwards. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Draws something into its place, as SVG. */
export type Drawing = (box: Box) => string
