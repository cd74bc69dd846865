import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'

const OUTPUT = /\.(d\.ts|js)(\.map)?$/
const SOURCE = /\.tsx?$/

/**
 * Deletes compiled files whose source is gone. The compiler leaves them, and the tests among them
 * would go on running.
 * @returns {Promise<string[]>} what was deleted, relative to the root
 */
export async function removeStaleOutput(root) {
  const { references } = await json(path.join(root, 'tsconfig.json'))
  const removed = await Promise.all(
    references.map((reference) => cleanProject(path.join(root, reference.path))),
  )
  return removed.flat().map((file) => path.relative(root, file))
}

async function cleanProject(project) {
  const { compilerOptions } = await json(path.join(project, 'tsconfig.json'))
  const from = path.join(project, compilerOptions.rootDir)
  const to = path.join(project, compilerOptions.outDir)
  const sources = new Set(
    (await filesIn(from, (name) => name !== 'node_modules' && name !== 'dist'))
      .filter((file) => SOURCE.test(file))
      .map((file) => file.replace(SOURCE, '')),
  )
  const outputs = await filesIn(to, () => true)
  // Only what has types beside it came from the compiler; bundles and assets did not.
  const compiled = new Set(
    outputs.filter((file) => file.endsWith('.d.ts')).map((file) => file.slice(0, -5)),
  )
  const stale = outputs.filter((file) => {
    const stem = file.replace(OUTPUT, '')
    return stem !== file && compiled.has(stem) && !sources.has(stem)
  })
  if (stale.length === 0) return []
  // The build's own record would say that these are there still, should their sources come back.
  const build = path.basename(compilerOptions.tsBuildInfoFile)
  const files = [...stale, build].map((file) => path.join(to, file))
  await Promise.all(files.map((file) => rm(file, { force: true })))
  return files
}

/** Files below a directory, relative to it; none where there is no such directory. */
export async function filesIn(directory, enter = () => true, prefix = '') {
  let entries
  try {
    entries = await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
  const found = await Promise.all(
    entries.map((entry) => {
      const relative = prefix + entry.name
      if (!entry.isDirectory()) return [relative]
      return enter(entry.name)
        ? filesIn(path.join(directory, entry.name), enter, `${relative}/`)
        : []
    }),
  )
  return found.flat().sort()
}

async function json(file) {
  return JSON.parse(await readFile(file, 'utf8'))
}
