import { make, sized } from './dom.ts'
import { selecting } from './ruler.ts'
import type { Scene } from './view.ts'

const HEIGHT = 34

/** The whole trace, small, and which stretch of it is looked at; dragging chooses another. */
export class Minimap {
  readonly host: HTMLElement
  readonly #canvas: HTMLCanvasElement
  readonly #scene: Scene
  #picture: { readonly width: number; readonly drawn: HTMLCanvasElement } | undefined

  constructor(scene: Scene) {
    this.#scene = scene
    this.#canvas = make('canvas', { 'aria-hidden': 'true' })
    const title = 'the whole trace: drag to zoom into a stretch, click to go there'
    this.host = make('div', { class: 'minimap', title }, this.#canvas)
    selecting(this.host, scene, () => this.#canvas.getBoundingClientRect(), true)
  }

  /** Colours changed. */
  forget(): void {
    this.#picture = undefined
  }

  draw(): void {
    const width = this.host.clientWidth
    if (width <= 0) return
    if (this.#picture?.width !== width) this.#picture = { width, drawn: this.#drawn(width) }
    const { timeline, paint } = this.#scene
    const pen = sized(this.#canvas, width, HEIGHT)
    pen.drawImage(this.#picture.drawn, 0, 0, width, HEIGHT)
    if (timeline.isWhole) return
    const all = timeline.most - timeline.least
    const x = (us: number) => ((us - timeline.least) / all) * width
    const [from, to] = [x(timeline.from), Math.max(x(timeline.from) + 2, x(timeline.to))]
    pen.globalAlpha = 0.72
    pen.fillStyle = paint().paper
    pen.fillRect(0, 0, from, HEIGHT)
    pen.fillRect(to, 0, width - to, HEIGHT)
    pen.globalAlpha = 1
    pen.strokeStyle = paint().ink
    pen.strokeRect(from + 0.5, 0.5, Math.max(1, to - from - 1), HEIGHT - 1)
  }

  #drawn(width: number): HTMLCanvasElement {
    const { calls, timeline, paint } = this.#scene
    const canvas = document.createElement('canvas')
    const pen = sized(canvas, width, HEIGHT)
    const { lane, count } = calls.lanes
    const lanes = Math.max(4, count)
    const high = Math.max(1, HEIGHT / lanes)
    const scale = width / (timeline.most - timeline.least)
    const colors = paint()
    for (let row = 0; row < calls.rows; row++) {
      const x = (calls.from(row) - timeline.least) * scale
      const long = Math.max(0.7, (calls.to(row) - calls.from(row)) * scale)
      pen.fillStyle = calls.failed(row) ? colors.failure : colors.colorOf(row)
      pen.fillRect(x, (lane[row]! / lanes) * HEIGHT, long, high)
    }
    return canvas
  }
}
