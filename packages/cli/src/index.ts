export type { ExitCode } from './exit.ts'
export { EXIT } from './exit.ts'
export { main } from './main.ts'
