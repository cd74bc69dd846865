import { RpcError } from 'clew'
import { BadRequest, type HttpResult, http } from 'clew/http'

export class Expected extends Error {}

class ValueError extends Error {}

/** The service of fixtures/nameko_http.py, route by route. */
export class Twin {
  static readonly name: string = 'web'

  @http('GET', '/get/<int:value>') getInt(_request: Request, value: number): string {
    return `int ${value}`
  }
  @http('GET', '/float/<float:value>') getFloat(_request: Request, value: number): string {
    return `float ${value}`
  }
  @http('GET', '/signed/<int(signed=True):value>')
  getSigned(_request: Request, value: number): string {
    return `signed ${value}`
  }
  @http('GET', '/range/<int(min=3, max=9):value>')
  getRange(_request: Request, value: number): string {
    return `range ${value}`
  }
  @http('GET', '/fixed/<int(4):value>') getFixed(_request: Request, value: number): string {
    return `fixed ${value}`
  }
  @http('GET', '/text/<value>') getText(_request: Request, value: string): string {
    return `text ${value}`
  }
  @http('GET', '/short/<string(minlength=2, maxlength=3):value>')
  getShort(_request: Request, value: string): string {
    return `short ${value}`
  }
  @http('GET', '/code/<string(length=2):value>')
  getCode(_request: Request, value: string): string {
    return `code ${value}`
  }
  @http('GET', '/path/<path:value>') getPath(_request: Request, value: string): string {
    return `path ${value}`
  }
  @http('GET', '/path/<path:value>/edit') getPathEdit(_request: Request, value: string): string {
    return `edit ${value}`
  }
  @http('GET', '/tree/<path:value>/') getTree(_request: Request, value: string): string {
    return `tree ${value}`
  }
  @http('GET', '/uuid/<uuid:value>') getUuid(_request: Request, value: string): string {
    return `uuid ${value}`
  }
  @http('GET', '/any/<any(left, right, "a,b"):value>')
  getAny(_request: Request, value: string): string {
    return `any ${value}`
  }
  @http('GET', '/file/<name>.<any(txt,md):kind>')
  getFile(_request: Request, name: string, kind: 'txt' | 'md'): string {
    return `file ${name} ${kind}`
  }
  @http('GET', '/pair/<left>/<right>')
  getPair(_request: Request, left: string, right: string): string {
    return `pair ${left} ${right}`
  }
  @http('GET', '/pair/fixed/<int:right>')
  getPairFixed(_request: Request, right: number): string {
    return `fixed pair ${right}`
  }
  @http('GET', '/slash/') getSlash(): string {
    return 'slash'
  }
  @http('GET,POST', '/both') both(request: Request): string {
    return request.method
  }
  @http('PUT', '/both') bothPut(): string {
    return 'put'
  }
  @http('POST', '/echo') echo(request: Request): Promise<string> {
    return request.text()
  }
  @http('OPTIONS', '/options') options(): string {
    return 'options'
  }
  @http('GET', '/tuple2') tuple2(): HttpResult {
    return [201, 'created']
  }
  @http('GET', '/tuple3') tuple3(): HttpResult {
    return [202, { 'X-A': 'b', 'Content-Type': 'application/json' }, '{}']
  }
  @http('GET', '/pairs') pairs(): HttpResult {
    const cookies = [['Set-Cookie', 'a=1'] as const, ['Set-Cookie', 'b=2'] as const]
    return [200, cookies, 'pairs']
  }
  @http('GET', '/no-content') noContent(): HttpResult {
    return [204, '']
  }
  @http('GET', '/not-modified') notModified(): HttpResult {
    return [304, '']
  }
  @http('GET', '/empty') empty(): string {
    return ''
  }
  @http('GET', '/unicode') unicode(): string {
    return 'grüße 日本'
  }
  @http('GET', '/response') response(): Response {
    return new Response('raw', { status: 203, headers: { 'content-type': 'application/json' } })
  }
  @http('GET', '/stream') stream(): Response {
    const body = ReadableStream.from(pieces())
    return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
  }
  @http('GET', '/none') none(): HttpResult {
    return null as unknown as HttpResult
  }
  @http('GET', '/number') number(): HttpResult {
    return 7 as unknown as HttpResult
  }
  @http('GET', '/bad-tuple') badTuple(): HttpResult {
    return [200, {}] as unknown as HttpResult
  }
  @http('GET', '/error') error(): string {
    throw new ValueError('oops')
  }
  @http('GET', '/expected', { expectedErrors: [Expected] }) expected(): string {
    throw new Expected('my bad')
  }
  @http('GET', '/bad-request') badRequest(): string {
    throw new BadRequest('bad req')
  }
  @http('GET', '/malformed') malformed(): string {
    throw new RpcError('malformed_request', 'mal')
  }
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (const piece of ['one ', 'two ', 'three']) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    yield new TextEncoder().encode(piece)
  }
}
