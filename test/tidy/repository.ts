import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Workspace } from './imports.ts'
import type { Source } from './source.ts'

/** Compiled to test/dist/tidy, three below the root. */
export const ROOT = path.resolve(import.meta.dirname, '../../..')

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.cache', 'fixtures', 'clew-demo'])
const READ = /\.(ts|tsx|mjs|js|json|md|sh|yml|yaml|svg|html|css)$|^\.ci\/|^\.[a-z]+$|^[A-Z]+$/

/** Every text file of the checkout, committed or not. */
export function readSources(): readonly Source[] {
  return filesBelow('')
    .filter((file) => READ.test(file))
    .map((file) => ({ path: file, text: readFileSync(path.join(ROOT, file), 'utf8') }))
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return []
    const relative = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return filesBelow(relative)
    return entry.isFile() ? [relative] : []
  })
}

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** The packages of this repository, from their package.json files. */
export function readWorkspaces(): readonly Workspace[] {
  const folders = readdirSync(path.join(ROOT, 'packages'))
    .map((name) => `packages/${name}`)
    .concat('examples', 'bench')
  return folders
    .filter((folder) => existsSync(path.join(ROOT, folder, 'package.json')))
    .map(readWorkspace)
}

function readWorkspace(folder: string): Workspace {
  const manifest: Manifest = JSON.parse(
    readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8'),
  )
  const exported = Object.entries(manifest.exports ?? {}).map(([subpath, target]) => {
    const file = typeof target === 'string' ? target : target.default
    return [subpath, sourceOf(folder, file)] as const
  })
  return {
    name: manifest.name,
    folder,
    exports: Object.fromEntries(exported),
    programs: Object.values(manifest.bin ?? {}).map((file) => path.posix.join(folder, file)),
    dependencies: [
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.optionalDependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ],
  }
}

function sourceOf(folder: string, published: string): string {
  return path.posix
    .join(folder, published)
    .replace(`${folder}/dist/`, `${folder}/src/`)
    .replace(/\.js$/, '.ts')
}
