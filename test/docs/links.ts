import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Complaint } from './compile.ts'
import { prose } from './fences.ts'

const LINKS = [
  /\]\(\s*<?([^)\s>]+)>?[^)]*\)/g,
  /^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm,
  /<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)="([^"\s]+)/g,
]

/** Links that lead to no file, or to no heading, of this repository. Links to elsewhere are not followed. */
export function brokenLinks(file: string, markdown: string, root: string): readonly Complaint[] {
  const text = prose(markdown)
  return LINKS.flatMap((pattern) => [...text.matchAll(pattern)]).flatMap((match) => {
    const target = match[1]!
    const line = text.slice(0, match.index).split('\n').length
    const message = complaintOf(file, target, markdown, root)
    return message === undefined ? [] : [{ path: file, line, message }]
  })
}

function complaintOf(
  file: string,
  target: string,
  markdown: string,
  root: string,
): string | undefined {
  if (/^[a-z][a-z+.-]*:|^\/\//i.test(target)) return undefined
  const [, name = '', anchor] = /^([^#?]*)(?:\?[^#]*)?(?:#(.*))?$/.exec(target) ?? []
  const relative = path.posix.join(path.posix.dirname(file), decodeURIComponent(name))
  if (name.startsWith('/') || relative.startsWith('..'))
    return `${target} leads out of the repository`
  const found = path.join(root, name === '' ? file : relative)
  if (name !== '' && !existsSync(found)) return `there is no ${target}`
  if (anchor === undefined || (name !== '' && !name.endsWith('.md'))) return undefined
  if (name !== '' && !statSync(found).isFile()) return undefined
  const text = name === '' ? markdown : readFileSync(found, 'utf8')
  return headings(text).has(anchor.toLowerCase())
    ? undefined
    : `${target}: there is no such heading`
}

/** Anchors of a page's headings, made as GitHub makes them. */
export function headings(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  const codeless = markdown.replace(/^( {0,3})(```|~~~)[\s\S]*?^\1?\2/gm, '')
  for (const [, title] of codeless.matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = title!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-')
    let unique = slug
    for (let count = 1; anchors.has(unique); count++) unique = `${slug}-${count}`
    anchors.add(unique)
  }
  for (const [, name] of codeless.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(name!)
  return anchors
}
