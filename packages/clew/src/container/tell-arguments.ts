import { BOUND, type BoundArguments, type Call } from '../call/index.ts'
import { type EntrypointMethod, redact } from '../service/index.ts'

/** Tells the interceptor that asked for them a call's arguments by name; nearly always nobody did. */
export function tellArguments(
  call: Call,
  entrypoint: EntrypointMethod,
  args: readonly unknown[],
): void {
  const tell = call.values.get(BOUND)
  if (tell === undefined) return
  try {
    tell(named(call, entrypoint, args))
  } catch {
    // Odd objects can break whoever looks at them. Their call is none the worse for it.
  }
}

function named(
  { kwargs }: Call,
  { params, parameters, sensitive }: EntrypointMethod,
  args: readonly unknown[],
): BoundArguments {
  const names = params ?? parameters.names
  const shown = redact(names, args, sensitive)
  // Keywords that arrive as one object count by their own names, unless something in it is masked.
  const keywords = params === undefined && sensitive.length === 0 ? Object.entries(kwargs) : []
  return {
    names: [...names.slice(0, shown.length), ...keywords.map(([name]) => name)],
    args: [...shown.slice(0, names.length), ...keywords.map(([, value]) => value)],
  }
}
