import type { PageContent } from '../html/format.ts'
import { openPage } from './open-page.ts'

const content: PageContent = JSON.parse(document.getElementById('content')?.textContent ?? '{}')
openPage(document.getElementById('app') ?? document.body, content)
