import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

const executablePath = process.env.CLEW_CHROMIUM ?? ''

/** Why tests that look at pages cannot run here; false where they can. */
export const NO_BROWSER: string | false =
  executablePath === '' && 'needs a browser: name a Chromium in CLEW_CHROMIUM, or run `npm test`'

let folder: string | undefined
let browser: BrowserContext | undefined

// Here, not in a test: there it would end with the test.
after(async () => {
  await browser?.close()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/** A new tab of a headless Chromium, which is closed when the file's tests are over. */
export async function newTab(): Promise<Page> {
  if (browser === undefined) {
    folder = await mkdtemp(join(tmpdir(), 'clew-browser-'))
    browser = await chromium.launchPersistentContext(folder, {
      executablePath,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
  }
  return browser.newPage()
}
