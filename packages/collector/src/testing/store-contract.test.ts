import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedStore } from '../store/embedded-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import { storeContract } from './store-contract.ts'

storeContract('in memory', async () => ({ store: memoryStore(), remove: async () => {} }))

storeContract('embedded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clew-contract-'))
  const store = await embeddedStore(dir)
  return { store, remove: () => rm(dir, { recursive: true, force: true }) }
})
