import type { Extension } from '../service/index.ts'
import { down, up } from './life.ts'

/** The extensions that all services of one `run` share, one of each class (Nameko's SharedExtension). */
export class SharedExtensions {
  readonly #extensions = new Map<new () => Extension, Extension>()

  /** The one instance of the class; made, and bound by `bind`, when first asked for. */
  get<E extends Extension>(Shared: new () => E, bind: (extension: Extension) => void): E {
    let extension = this.#extensions.get(Shared)
    if (extension === undefined) {
      extension = new Shared()
      bind(extension)
      this.#extensions.set(Shared, extension)
    }
    return extension as E
  }

  find<E extends Extension>(Shared: new () => E): E | undefined {
    return this.#extensions.get(Shared) as E | undefined
  }

  setup(): Promise<void> {
    return up(this.#extensions.values(), (extension) => extension.setup())
  }

  start(): Promise<void> {
    return up(this.#extensions.values(), (extension) => extension.start())
  }

  stop(): Promise<void> {
    return down(this.#extensions.values(), (extension) => extension.stop())
  }

  kill(): Promise<void> {
    return down(this.#extensions.values(), (extension) => extension.kill())
  }
}
