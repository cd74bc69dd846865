import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeContract } from './contract.ts'
import { embeddedStore } from './embedded-store.ts'
import { memoryStore } from './memory-store.ts'

storeContract('in memory', async () => ({ store: memoryStore(), remove: async () => {} }))

storeContract('embedded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clew-contract-'))
  const store = await embeddedStore(dir)
  return { store, remove: () => rm(dir, { recursive: true, force: true }) }
})
