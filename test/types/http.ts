// Compiled, never run: what the types of HTTP routes promise.
import { type HttpResult, http, type RouteParameters } from 'clew/http'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

same<RouteParameters<'/'>, []>()
same<RouteParameters<'/orders/<int:id>'>, [number]>()
same<RouteParameters<'/orders/<int(min=1, max=9):id>/<line>'>, [number, string]>()
same<RouteParameters<'/<float:share>/<float(signed=True):change>'>, [number, number]>()
same<RouteParameters<'/<x>/<string:y>/<path:z>/<uuid:u>'>, [string, string, string, string]>()
same<RouteParameters<'/<string(length=2):code>'>, [string]>()
same<RouteParameters<'/<any(left, right):side>'>, ['left' | 'right']>()
same<RouteParameters<'/<name>.<any(txt,md):kind>'>, [string, 'txt' | 'md']>()
// Quoted items may hold commas.
same<RouteParameters<'/<any("a,b",c):kind>'>, [string]>()
// A route that is no literal can be anything.
same<RouteParameters<string>, (string | number)[]>()

export class Gateway {
  static readonly name = 'gateway'

  @http('GET', '/orders/<int:id>') get(_request: Request, id: number): string {
    same<typeof id, number>()
    return `${id}`
  }
  @http('GET,POST', '/x/<a>/<int:b>') two(_request: Request, a: string, b: number): Response {
    return new Response(`${a}${b}`)
  }
  // Parameters that are not needed may be left out, and results may be promised.
  @http('GET', '/health') health(): string {
    return 'ok'
  }
  @http('POST', '/orders/<int:id>') async update(request: Request): Promise<HttpResult> {
    return [201, { location: request.url }, '']
  }
  @http('GET', '/wide/<int:id>') wide(_request: Request, _id: number | string): string {
    return ''
  }
  @http('GET', '/side/<any(left,right):side>')
  side(_request: Request, side: 'left' | 'right'): readonly [number, string] {
    return [200, side]
  }

  // @ts-expect-error the value is a number
  @http('GET', '/orders/<int:id>') wrongType(_request: Request, _id: string): string {
    return ''
  }
  // @ts-expect-error there is only one value
  @http('GET', '/orders/<int:id>') tooMany(_request: Request, _id: number, _x: string): string {
    return ''
  }
  // @ts-expect-error the request comes first
  @http('GET', '/orders/<int:id>') noRequest(_id: number): string {
    return ''
  }
  // @ts-expect-error objects are no responses; Response.json(value) makes one
  @http('GET', '/object') object(): { a: number } {
    return { a: 1 }
  }
  // @ts-expect-error nor is nothing
  @http('GET', '/nothing') nothing(): void {}
  // @ts-expect-error down is no item
  @http('GET', '/side/<any(left,right):side>') down(_request: Request, _side: 'down'): string {
    return ''
  }
}
