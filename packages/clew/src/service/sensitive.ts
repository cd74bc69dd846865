const REDACTED = '********'

/**
 * A copy of the arguments in which everything that a path names is replaced (Nameko's
 * `sensitive_arguments`). A path is a parameter's name, then `.key` and `[index]` steps; one that
 * leads nowhere is passed over.
 */
export function redact(
  names: readonly (string | undefined)[],
  args: readonly unknown[],
  paths: readonly string[],
): readonly unknown[] {
  let redacted = [...args]
  for (const path of paths) {
    const [name, ...steps] = path.split(/[.[\]]+/u).filter((step) => step !== '')
    const position = names.indexOf(name)
    if (position >= 0 && position < redacted.length) {
      redacted = redacted.with(position, redactAt(redacted[position], steps))
    }
  }
  return redacted
}

function redactAt(value: unknown, steps: readonly string[]): unknown {
  const [step, ...rest] = steps
  if (step === undefined) return REDACTED
  if (Array.isArray(value)) {
    const index = Number(step)
    return index in value ? value.with(index, redactAt(value[index], rest)) : value
  }
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, step)) {
    return { ...value, [step]: redactAt((value as Record<string, unknown>)[step], rest) }
  }
  return value
}
