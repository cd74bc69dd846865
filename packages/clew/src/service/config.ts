import { Dependency, inject } from './dependency.ts'

class Configuration extends Dependency<Readonly<Record<string, unknown>>> {
  override get(): Readonly<Record<string, unknown>> {
    return this.host.config
  }
}

/**
 * Declares a field that holds the configuration given to `run`: Nameko's `Config`. Nobody checks that
 * it has the type asked for.
 */
export function config<C extends object = Readonly<Record<string, unknown>>>(): Readonly<C> {
  return inject(new Configuration()) as Readonly<C>
}
