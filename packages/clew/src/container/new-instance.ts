import { instanceOf, type ServiceDefinition, type WorkerContext } from '../service/index.ts'

type Instance = Record<string, unknown>

/**
 * A new instance of a service for one worker, with its dependencies, each set up. Given later only
 * where one of them takes its time: most workers need not wait.
 */
export function newInstance(
  { serviceClass, dependencies }: ServiceDefinition,
  worker: WorkerContext,
): Instance | Promise<Instance> {
  const instance = instanceOf(serviceClass) as Instance
  for (let index = 0; index < dependencies.length; index++) {
    const [field, dependency] = dependencies[index]!
    const value = dependency.get(worker)
    if (value instanceof Promise) return injectLater(dependencies, worker, instance, index, value)
    instance[field] = value
  }
  for (let index = 0; index < dependencies.length; index++) {
    const setup = dependencies[index]![1].workerSetup(worker)
    if (setup instanceof Promise) return setUpLater(dependencies, worker, instance, index, setup)
  }
  return instance
}

type Dependencies = ServiceDefinition['dependencies']

/** What is left to do when one dependency is being waited for. */
async function injectLater(
  dependencies: Dependencies,
  worker: WorkerContext,
  instance: Instance,
  index: number,
  waited: Promise<unknown>,
): Promise<Instance> {
  instance[dependencies[index]![0]] = await waited
  for (const [field, dependency] of dependencies.slice(index + 1)) {
    instance[field] = await dependency.get(worker)
  }
  return setUpLater(dependencies, worker, instance, -1, undefined)
}

/** What is left to do when one dependency is being set up. */
async function setUpLater(
  dependencies: Dependencies,
  worker: WorkerContext,
  instance: Instance,
  index: number,
  waited: Promise<void> | undefined,
): Promise<Instance> {
  await waited
  for (const [, dependency] of dependencies.slice(index + 1)) await dependency.workerSetup(worker)
  return instance
}
