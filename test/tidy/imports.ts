import path from 'node:path'
import {
  type Import,
  imports,
  isCode,
  isTest,
  type Source,
  tokens,
  type Violation,
} from './source.ts'

/** A package of this repository and how its public names map to source files. */
export interface Workspace {
  /** Name that others import it by. */
  readonly name: string
  /** Folder relative to the root. */
  readonly folder: string
  /** Source file of each public subpath, `.` first. */
  readonly exports: Readonly<Record<string, string>>
  /** Source files that are run, not imported. */
  readonly programs: readonly string[]
  /** Packages that its users get with it, or must have. */
  readonly dependencies: readonly string[]
}

/** Which other code a folder may import; a name stands for itself and what is below. */
export interface FolderRule {
  /** Folder relative to the root; a file directly in `a/src` belongs to `a/src/.`. */
  readonly folder: string
  /** Folders relative to the root, or names of packages; `*` is anything. */
  readonly may: readonly string[]
  /** The same for what is left of types only. @default none */
  readonly mayTypes?: readonly string[]
  /** True when it may import nothing but Clew's code: no Node, no packages. @default false */
  readonly pure?: boolean
}

interface Edge extends Import {
  readonly from: string
  /** Path of the imported file, if it is one of ours. */
  readonly to: string | undefined
}

/** Imports of a file with our own resolved to paths. */
function edges(source: Source, workspaces: readonly Workspace[]): readonly Edge[] {
  return imports(source).map((one) => ({
    ...one,
    from: source.path,
    to: resolve(source.path, one.specifier, workspaces),
  }))
}

function resolve(
  from: string,
  specifier: string,
  workspaces: readonly Workspace[],
): string | undefined {
  if (specifier.startsWith('.')) {
    const target = path.posix.join(path.posix.dirname(from), specifier)
    // Programs beside the packages import what was compiled.
    return target.replace(/\/dist\/(.*)\.js$/, '/src/$1.ts')
  }
  const workspace = workspaces.find(({ name }) => isBelow(specifier, name))
  if (workspace === undefined) return undefined
  const subpath = `.${specifier.slice(workspace.name.length)}`
  return workspace.exports[subpath] ?? `${workspace.folder}/${subpath}`
}

function isBelow(name: string, parent: string): boolean {
  return name === parent || name.startsWith(`${parent}/`)
}

/** The rule of the innermost folder that a file lies in. */
function ruleFor(file: string, rules: readonly FolderRule[]): FolderRule | undefined {
  const folder = path.posix.dirname(file)
  const own = rules.find((rule) => rule.folder === `${folder}/.`)
  if (own !== undefined) return own
  return rules
    .filter((rule) => isBelow(folder, rule.folder))
    .sort((left, right) => right.folder.length - left.folder.length)[0]
}

/** Imports that the table of folders forbids. Tests may import whatever they test with. */
export function forbiddenImports(
  sources: readonly Source[],
  rules: readonly FolderRule[],
  workspaces: readonly Workspace[],
): readonly Violation[] {
  return sources
    .filter(({ path }) => isCode(path) && !isTest(path))
    .flatMap((source) => {
      const rule = ruleFor(source.path, rules)
      if (rule === undefined) return []
      return edges(source, workspaces)
        .filter((edge) => !isAllowed(edge, rule, rules, workspaces))
        .map((edge) => ({
          path: source.path,
          line: edge.line,
          message: `${rule.folder} may not import ${edge.specifier}${edge.typeOnly ? ' (types)' : ''}`,
        }))
    })
}

function isAllowed(
  edge: Edge,
  rule: FolderRule,
  rules: readonly FolderRule[],
  workspaces: readonly Workspace[],
): boolean {
  if (edge.to === undefined) return rule.pure !== true || rule.may.includes(edge.specifier)
  if (isTest(edge.to)) return false
  const may = edge.typeOnly ? [...rule.may, ...(rule.mayTypes ?? [])] : rule.may
  if (may.includes('*')) return true
  const target = ruleFor(edge.to, rules)
  if (target === rule) return true
  if (!edge.specifier.startsWith('.')) {
    // Another package, by its public name; `clew` does not include `clew/profile`.
    return may.includes(edge.specifier)
  }
  const home = workspaces.find(({ folder }) => isBelow(edge.from, folder))
  if (home !== undefined && !isBelow(edge.to, home.folder)) return false
  return target !== undefined && may.includes(target.folder)
}

/** Files that import each other in a circle, through types as well: one violation a circle. */
export function importCycles(
  sources: readonly Source[],
  workspaces: readonly Workspace[],
): readonly Violation[] {
  const graph = new Map<string, readonly string[]>()
  for (const source of sources.filter(({ path }) => isCode(path))) {
    const targets = edges(source, workspaces).flatMap(({ to }) => (to === undefined ? [] : [to]))
    graph.set(source.path, targets)
  }
  const finished = new Set<string>()
  const found: Violation[] = []
  for (const start of graph.keys()) walk(start, [])
  return found

  function walk(file: string, trail: readonly string[]): void {
    const seen = trail.indexOf(file)
    if (seen >= 0) {
      const circle = [...trail.slice(seen), file]
      found.push({ path: file, line: 1, message: `imports itself: ${circle.join(' -> ')}` })
      return
    }
    if (finished.has(file)) return
    for (const target of graph.get(file) ?? []) walk(target, [...trail, file])
    finished.add(file)
  }
}

/** An external package that several files of one of ours import, and why it must be so. */
export interface SharedDependency {
  readonly workspace: string
  readonly dependency: string
  readonly reason: string
}

/**
 * External packages that are not declared, or that do not sit behind exactly one file of a package.
 * Only what a package's users run counts: tests share theirs.
 */
export function scatteredDependencies(
  sources: readonly Source[],
  workspaces: readonly Workspace[],
  shared: readonly SharedDependency[],
): readonly Violation[] {
  const run = reachable(sources, workspaces)
  return workspaces.flatMap((workspace) => {
    const users = new Map<string, Edge[]>()
    for (const source of sources) {
      if (!isBelow(source.path, `${workspace.folder}/src`) || !run.has(source.path)) continue
      for (const edge of edges(source, workspaces)) {
        if (edge.to !== undefined || edge.specifier.startsWith('node:')) continue
        const name = packageOf(edge.specifier)
        users.set(name, [...(users.get(name) ?? []), edge])
      }
    }
    return [...users].flatMap(([name, its]) => [
      ...undeclared(workspace, name, its),
      ...(shared.some((one) => one.workspace === workspace.name && one.dependency === name)
        ? []
        : scattered(name, its)),
    ])
  })
}

/** Files that a package's exports and programs lead to. */
function reachable(
  sources: readonly Source[],
  workspaces: readonly Workspace[],
): ReadonlySet<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const found = new Set<string>()
  const follow = (file: string | undefined): void => {
    const source = file === undefined ? undefined : byPath.get(file)
    if (source === undefined || found.has(source.path)) return
    found.add(source.path)
    for (const { to } of edges(source, workspaces)) follow(to)
  }
  for (const { exports, programs } of workspaces) {
    for (const file of [...Object.values(exports), ...programs]) follow(file)
  }
  return found
}

function undeclared(workspace: Workspace, name: string, its: readonly Edge[]) {
  if (workspace.dependencies.includes(name)) return []
  const { from, line } = its[0]!
  return [{ path: from, line, message: `${name} is no dependency of ${workspace.name}` }]
}

function scattered(name: string, its: readonly Edge[]) {
  const files = [...new Set(its.map(({ from }) => from))]
  if (files.length <= 1) return []
  const message = `${name} should sit behind one file, and is imported by ${files.join(', ')}`
  return [{ path: files[1]!, line: its.find(({ from }) => from === files[1])!.line, message }]
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** What is run as a process or a worker of its own: `new URL('./x.mjs', import.meta.url)`. */
function namedFiles(source: Source): readonly string[] {
  return (
    tokens(source)
      .filter(({ kind, text }) => kind === 'string' && /^\.\.?\/.*\.(ts|js|mjs)$/.test(text))
      .map(({ text }) => path.posix.join(path.posix.dirname(source.path), text))
      // A program names what it will have been compiled to.
      .flatMap((file) => [file, file.replace(/\.js$/, '.ts'), file.replace(/\.js$/, '.d.ts')])
  )
}

/** Files that nothing imports, runs, publishes or names by a path relative to itself. */
export function unreferencedFiles(
  sources: readonly Source[],
  workspaces: readonly Workspace[],
  entryPoints: readonly string[],
): readonly Violation[] {
  const code = sources.filter(({ path }) => isCode(path))
  const referenced = new Set([
    ...entryPoints,
    ...workspaces.flatMap((one) => [...Object.values(one.exports), ...one.programs]),
    ...code.flatMap((source) => edges(source, workspaces).map(({ to }) => to)),
    ...code.flatMap(namedFiles),
  ])
  return code
    .filter(({ path }) => !isTest(path) && !referenced.has(path))
    .map(({ path }) => ({ path, line: 1, message: 'nothing imports this file' }))
}
