import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Fence } from './fences.ts'

/** A piece of documentation that does not hold. */
export interface Complaint {
  readonly path: string
  readonly line: number
  readonly message: string
}

interface Module {
  readonly file: string
  /** For each line of the file, where in the Markdown it stands; undefined for hidden lines. */
  readonly origins: (number | undefined)[]
  readonly lines: string[]
  readonly first: Fence
}

/**
 * Compiles the TypeScript and JavaScript of the documentation in one program, against the packages
 * as their users see them. Each fence is a module of its own but
 * - ` ```ts continued ` goes on with the module before it,
 * - a first line `// id-service.ts` gives the module that name, for others of the same page to import,
 * - a comment `<!-- before: import … -->` above it is put in front.
 * Other relative imports are meant from where the page is: `./examples/greeting/services.ts`.
 */
export async function compileFences(
  fences: readonly Fence[],
  root: string,
): Promise<readonly Complaint[]> {
  if (fences.length === 0) return []
  const cache = path.join(root, '.cache')
  await mkdir(cache, { recursive: true })
  const home = await mkdtemp(path.join(cache, 'docs-'))
  try {
    const modules = asModules(fences)
    for (const { file, lines, first } of modules) {
      await mkdir(path.dirname(path.join(home, file)), { recursive: true })
      const code = relocated(lines.join('\n'), (specifier) => {
        const sibling = path.posix.join(path.posix.dirname(file), specifier)
        if (modules.some((one) => one.file === sibling)) return specifier
        const meant = path.join(root, path.dirname(first.path), specifier)
        return path.relative(path.join(home, path.dirname(file)), meant)
      })
      await writeFile(path.join(home, file), `${code}\n`)
    }
    await writeFile(path.join(home, 'tsconfig.json'), JSON.stringify(settings(root)))
    return complaints(await compile(root, home), modules)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

const RELATIVE_IMPORT = /(\b(?:from|import)\s*\(?\s*)(['"])(\.{1,2}\/[^'"\n]+)\2/g

function relocated(code: string, move: (specifier: string) => string): string {
  return code.replace(
    RELATIVE_IMPORT,
    (_, before: string, quote: string, specifier: string) =>
      `${before}${quote}${move(specifier)}${quote}`,
  )
}

function settings(root: string) {
  return {
    extends: path.join(root, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false,
      declarationMap: false,
      noEmit: true,
      allowJs: true,
      checkJs: true,
      // Each fence is a module, whether it imports something or not.
      moduleDetection: 'force',
      // An excerpt declares what the reader will use.
      noUnusedLocals: false,
      noUnusedParameters: false,
      typeRoots: [path.join(root, 'node_modules/@types')],
    },
    include: ['**/*'],
  }
}

function asModules(fences: readonly Fence[]): readonly Module[] {
  const modules: Module[] = []
  fences.forEach((fence, index) => {
    const code = fence.code.split('\n')
    const origins = code.map((_, offset) => fence.line + offset)
    const last = modules.at(-1)
    if (/^continued\b/.test(fence.mark) && last?.first.path === fence.path) {
      last.lines.push(...code)
      last.origins.push(...origins)
      return
    }
    const hidden = fence.before === '' ? [] : fence.before.split('\n')
    const fileOf = (name: string) => path.posix.join(folderFor(fence.path), name)
    const unnamed = fileOf(`fence-${index + 1}.${fence.language === 'ts' ? 'ts' : 'js'}`)
    const name = nameOf(fence)
    const named = name === undefined ? unnamed : fileOf(name)
    const isTaken = modules.some(({ file }) => file === named)
    modules.push({
      // The first of a name is the one that others import; one that varies it is compiled as well.
      file: isTaken ? unnamed : named,
      lines: [...hidden, ...code],
      origins: [...hidden.map(() => undefined), ...origins],
      first: fence,
    })
  })
  return modules
}

function folderFor(markdown: string): string {
  return markdown.replace(/[^\w]+/g, '-')
}

function nameOf({ code }: Fence): string | undefined {
  return /^\/\/ ([\w-]+\.(?:ts|js|mjs))\b/.exec(code)?.[1]
}

function compile(root: string, project: string): Promise<string> {
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
  return new Promise((resolve, reject) => {
    const parameters = [compiler, '--pretty', 'false', '-p', project]
    execFile(process.execPath, parameters, { cwd: project }, (error, stdout, stderr) => {
      // A compiler that did not run at all leaves nothing that could be read as a diagnosis.
      if (error !== null && stdout === '') reject(new Error(stderr || error.message))
      else resolve(stdout)
    })
  })
}

function complaints(printed: string, modules: readonly Module[]): readonly Complaint[] {
  const found: Complaint[] = []
  for (const text of printed.split('\n')) {
    const [, file, line, message] = /^(\S[^(]*)\((\d+),\d+\): (.*)$/.exec(text) ?? []
    const module = modules.find((one) => one.file === file)
    if (module !== undefined) {
      const origin = module.origins[Number(line) - 1] ?? module.first.line
      found.push({ path: module.first.path, line: origin, message: message! })
    } else if (/^\s+\S/.test(text) && found.length > 0) {
      const last = found.pop()!
      found.push({ ...last, message: `${last.message}\n${text}` })
    } else if (text.trim() !== '') {
      found.push({ path: 'tsconfig', line: 1, message: text })
    }
  }
  return found
}
