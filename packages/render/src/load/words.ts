import type { LoadBottleneck } from 'clew/trace'

/** `payments workers`, `orders self`: what holds requests up, in as few words as a table has room for. */
export function nameOfBottleneck({ service, kind, layer }: LoadBottleneck): string {
  switch (kind) {
    case 'work':
      return `${service} ${layer ?? 'self'}`
    case 'workers':
      return `${service} workers`
    case 'event-loop':
      return `${service} event loop`
    case 'waiting':
      return `${service} queue`
    case 'unclear':
      return 'unclear'
  }
}

export const LOAD_QUESTION = 'Where is the bottleneck, and how does it move with the load?'
