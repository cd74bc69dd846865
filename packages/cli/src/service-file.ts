import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { EntrypointDescription, ServiceClass } from 'clew'
import { EXIT } from './exit.ts'
import { Fault, fileFault, usageFault } from './fault.ts'
import { harmless } from './harmless.ts'
import { type Exported, inspect } from './service-metadata.ts'
import { suggestions } from './suggest.ts'

/** A service class found in a user's module. */
export interface FoundService {
  readonly serviceClass: ServiceClass
  readonly service: string
  readonly entrypoints: readonly EntrypointDescription[]
}

export interface LoadedServices {
  readonly services: readonly FoundService[]
  /** Exported classes that were passed over, with the reason. */
  readonly passedOver: readonly string[]
}

const TYPESCRIPT = /\.[cm]?tsx?$/

/**
 * Loads modules and finds the service classes they export, by themselves or in arrays.
 * @param targets `FILE` for every service of a module, `FILE:Class` for one of them
 * @throws Fault saying what is wrong with a target and how to mend it
 */
export async function loadServices(targets: readonly string[]): Promise<LoadedServices> {
  const services = new Map<ServiceClass, FoundService>()
  const passedOver: string[] = []
  const parsed = targets.map(parseTarget)
  for (const { file } of parsed) checkTarget(file)
  const typescript = parsed.find(({ file }) => TYPESCRIPT.test(file))
  if (typescript !== undefined) await understandTypeScript(typescript.file)
  for (const { file, className } of parsed) {
    const found = servicesIn(file, await load(file), className)
    for (const service of found.services) services.set(service.serviceClass, service)
    passedOver.push(...found.passedOver)
  }
  return { services: [...services.values()], passedOver }
}

/** Splits `FILE:Class`; a path may itself contain colons. */
export function parseTarget(target: string): { file: string; className: string | undefined } {
  const match = /^(.+):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/u.exec(target)
  return match === null || existsSync(target)
    ? { file: target, className: undefined }
    : { file: match[1]!, className: match[2]! }
}

/** @throws Fault when there is no such file */
export function checkTarget(file: string): void {
  try {
    if (!statSync(file).isFile()) {
      throw usageFault(`${harmless(file)} is no file`, {
        next: [`clew run ${join(file, 'services.ts')}`],
      })
    }
  } catch (error) {
    throw error instanceof Fault ? error : fileFault('read', file, error)
  }
}

let understood = false

/**
 * Lets `import` read TypeScript from here on, by the project's compiler options, except that
 * decorators are those of TC39 and class fields are defined: `static readonly name` needs both.
 */
async function understandTypeScript(file: string): Promise<void> {
  if (understood) return
  understood = true
  const { register } = await import('tsx/esm/api')
  const folder = mkdtempSync(join(tmpdir(), 'clew-'))
  const tsconfig = join(folder, 'tsconfig.json')
  const project = nearest(dirname(resolve(file)), 'tsconfig.json')
  const compilerOptions = {
    target: 'ESNext',
    experimentalDecorators: false,
    useDefineForClassFields: true,
  }
  const ofProject = project && { extends: project, include: [join(dirname(project), '**', '*')] }
  writeFileSync(tsconfig, JSON.stringify({ ...ofProject, compilerOptions }))
  try {
    // The file is read here, never again.
    register({ tsconfig })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function nearest(folder: string, name: string): string | undefined {
  const path = join(folder, name)
  if (existsSync(path)) return path
  const parent = dirname(folder)
  return parent === folder ? undefined : nearest(parent, name)
}

async function load(file: string): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(resolve(file)).href
  try {
    return unwrapped((await import(url)) as Record<string, unknown>)
  } catch (error) {
    throw loadFault(file, error)
  }
}

/** A module that was compiled to CommonJS puts its exports under `default`. */
function unwrapped(module: Record<string, unknown>): Readonly<Record<string, unknown>> {
  const inner = module.default
  const isCommonJs =
    typeof inner === 'object' &&
    inner !== null &&
    ('module.exports' in module || '__esModule' in inner)
  return isCommonJs ? { ...module, ...inner } : module
}

function loadFault(file: string, error: unknown): Fault {
  const { code, message = String(error), stack } = error as NodeJS.ErrnoException
  const fail = (why: string | undefined, next: readonly string[]) =>
    new Fault(`cannot load ${harmless(file)}`, {
      exit: EXIT.failed,
      code: 'unloadable_module',
      why,
      next,
      cause: error,
    })
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const missing = /(?:package|module) '([^'./][^']*)'/.exec(message)?.[1]
    return fail(
      message.split('\n')[0],
      missing === undefined ? ['check the path of that import'] : [`npm install ${missing}`],
    )
  }
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return fail('it is neither TypeScript nor JavaScript', [])
  }
  const isSyntax = error instanceof SyntaxError || (error as Error).name === 'TransformError'
  return fail(isSyntax ? message : ownFrames(stack ?? message), [])
}

/** Where this program is: its frames are no news to whoever wrote the service. */
const OWN = dirname(fileURLToPath(import.meta.url))

/** The stack without the frames of the loader. */
function ownFrames(stack: string): string {
  return stack
    .split('\n')
    .filter(
      (line) =>
        !/node:internal|node_modules\/tsx/.test(line) &&
        !line.includes(OWN) &&
        !line.includes('@stricli'),
    )
    .slice(0, 8)
    .join('\n')
}

function servicesIn(
  file: string,
  module: Readonly<Record<string, unknown>>,
  className: string | undefined,
): LoadedServices {
  if (className !== undefined) {
    if (!(className in module)) throw noSuchClass(file, module, className)
    return { services: chosen(file, className, module[className]), passedOver: [] }
  }
  const services: FoundService[] = []
  const passedOver: string[] = []
  for (const [name, value] of Object.entries(module)) {
    for (const candidate of Array.isArray(value) ? value : [value]) {
      const exported = inspect(candidate)
      if (exported.kind === 'service') services.push(found(candidate, exported))
      if (exported.kind === 'foreign') throw foreignFault(file, exported.className)
      if (exported.kind === 'nameless') {
        passedOver.push(`${file}:${name} has no \`static readonly name\``)
      }
    }
  }
  if (services.length === 0) throw noServices(file, module, passedOver)
  return { services, passedOver }
}

function chosen(file: string, className: string, value: unknown): readonly FoundService[] {
  const candidates: readonly unknown[] = Array.isArray(value) ? value : [value]
  return candidates.map((candidate) => {
    const exported = inspect(candidate)
    if (exported.kind === 'service') return found(candidate, exported)
    if (exported.kind === 'foreign') throw foreignFault(file, exported.className)
    throw new Fault(`${harmless(file)}:${className} is no service`, {
      exit: EXIT.usage,
      code: 'no_service',
      why:
        exported.kind === 'nameless'
          ? `class ${exported.className} has entrypoints, but no name to call it by`
          : 'it is no class that has a method with @rpc, @event or another entrypoint',
      next: [
        exported.kind === 'nameless'
          ? `add \`static readonly name = '…'\` to class ${exported.className}`
          : 'put @rpc before the methods that others may call',
      ],
    })
  })
}

function found(
  value: unknown,
  { service, entrypoints }: Extract<Exported, { kind: 'service' }>,
): FoundService {
  return { serviceClass: value as ServiceClass, service, entrypoints }
}

function noSuchClass(
  file: string,
  module: Readonly<Record<string, unknown>>,
  className: string,
): Fault {
  const names = Object.keys(module).filter((name) => inspect(module[name]).kind === 'service')
  return new Fault(`${harmless(file)} exports no ${className}`, {
    exit: EXIT.notFound,
    code: 'no_such_class',
    why: names.length === 0 ? undefined : `its services are ${names.join(', ')}`,
    meant: suggestions(className, names).map((name) => `${file}:${name}`),
  })
}

function noServices(
  file: string,
  module: Readonly<Record<string, unknown>>,
  passedOver: readonly string[],
): Fault {
  const names = Object.keys(module).filter(
    (name) => name !== 'default' && name !== 'module.exports',
  )
  const exports = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`
  return new Fault(`${harmless(file)} exports no service`, {
    exit: EXIT.notFound,
    code: 'no_service',
    why:
      passedOver[0] ??
      `${exports}; a service is a class with a method that has @rpc, @event or another entrypoint`,
    next: ["export class Greeting { static readonly name = 'greeting'; @rpc hello() { … } }"],
  })
}

function foreignFault(file: string, className: string): Fault {
  return new Fault(
    `class ${className} of ${harmless(file)} uses another copy of clew than this command`,
    {
      exit: EXIT.failed,
      code: 'foreign_clew',
      why: `this command runs with the one at ${dirname(fileURLToPath(import.meta.resolve('clew')))}`,
      next: ['npx clew run …   in the project of that file, so that both use its own clew'],
    },
  )
}
