/**
 * An address of a database or the like as messages may tell it: without user and password, and without
 * parameters. Rather too little than too much: a password may hold `@` and `/` as they are, so all up
 * to the last `@` goes. Of what is no address only that it is none is told.
 */
export function shownAddress(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:/iu.exec(text)?.[0]
  if (scheme === undefined) return 'text that is no address'
  const behind = text.slice(scheme.length)
  const rest = behind.slice(behind.lastIndexOf('@') + 1)
  const slashes = rest !== behind && behind.startsWith('//') ? '//' : ''
  return `${scheme}${slashes}${rest.replace(/\?.*$/su, '')}`
}
