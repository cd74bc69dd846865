import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Session } from 'chdb'

/** An HTTP server that speaks ClickHouse's interface as far as our client uses it. */
export interface ChdbServer extends AsyncDisposable {
  readonly url: string
  /** What came, statements only. */
  readonly statements: readonly string[]
  /** The next so many inserts are done, and their answers lost. */
  loseAnswers(count: number): void
}

/**
 * The embedded engine behind HTTP, so that the real client is tested without a server: no users, TLS,
 * progress or errors in the middle of an answer.
 */
export async function chdbServer(dir: string, connectionArgs: string[] = []): Promise<ChdbServer> {
  const session = new Session(join(dir, 'tables'), { connectionArgs })
  const statements: string[] = []
  let [losing, last] = [0, Promise.resolve()]
  const run = async (request: IncomingMessage): Promise<string> => {
    const asked = new URL(request.url!, 'http://clickhouse').searchParams
    const body = await buffer(request)
    const sql = asked.get('query') ?? body.toString()
    statements.push(sql)
    if (!asked.has('query')) return await answer(session, sql)
    const path = join(dir, `${randomUUID()}.native`)
    await writeFile(path, body)
    try {
      return await answer(session, insertFrom(sql, path))
    } finally {
      await rm(path)
    }
  }
  const server = createServer((request, response) => {
    last = last.then(async () => {
      try {
        const text = await run(request)
        if (losing > 0 && statements.at(-1)!.startsWith('INSERT')) {
          losing--
          response.destroy()
        } else response.end(text)
      } catch (error) {
        response.writeHead(500).end(error instanceof Error ? error.message : String(error))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    loseAnswers: (count) => {
      losing = count
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await last
      session.cleanup()
    },
  }
}

/** The engine reads inserted bytes only from files. */
function insertFrom(sql: string, path: string): string {
  const [, into, columns, settings] =
    /^INSERT INTO (\S+) \((.*?)\) SETTINGS (.*) FORMAT Native$/su.exec(sql)!
  return `INSERT INTO ${into} (${columns}) SELECT ${columns} FROM file('${path}', Native) SETTINGS ${settings}`
}

async function answer(session: Session, sql: string): Promise<string> {
  const result = await session.queryAsync(sql)
  return result.text()
}
