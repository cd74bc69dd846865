import { config, type ErrorClass, proxy, RemoteError, RpcError } from 'clew'
import { BadRequest, BodyTooLarge, type HttpOptions, type HttpResult, httpWith } from 'clew/http'
import { KeyError, OrderNotFound, ProductNotFound, ValidationError } from './errors.ts'
import type { OrdersService } from './orders.ts'
import type { ProductsService } from './products.ts'
import { jsonProblem } from './python-json.ts'
import { NEW_ORDER, PRODUCT } from './schemas.ts'
import { validated } from './validation.ts'

/** What clients are told of errors that they can do something about; of others, that there was one. */
const TOLD: readonly (readonly [ErrorClass, status: number, code: string])[] = [
  [BadRequest, 400, 'BAD_REQUEST'],
  [ValidationError, 400, 'VALIDATION_ERROR'],
  [ProductNotFound, 404, 'PRODUCT_NOT_FOUND'],
  [OrderNotFound, 404, 'ORDER_NOT_FOUND'],
]

const ANSWERS: HttpOptions = {
  expectedErrors: TOLD.map(([errorClass]) => errorClass),
  responseFromError(error, { errorTexts }) {
    // Not for the shop to explain: the body is too large, or too many others are waiting.
    if (error instanceof BodyTooLarge) return undefined
    if (error instanceof RpcError && error.code === 'overloaded') return undefined
    const [, status = 500, code = 'UNEXPECTED_ERROR'] =
      TOLD.find(([known]) => isOne(error, known)) ?? []
    const hidden = status === 500 && errorTexts !== 'all'
    const message = hidden ? 'the request could not be answered' : error.message
    return Response.json({ error: code, message }, { status })
  },
}

/** Where `run` was not told of STORE_ERRORS, what other services throw arrives under its name only. */
function isOne(error: Error, known: ErrorClass & { readonly wirePath?: string }): boolean {
  if (error instanceof RemoteError) return error.remotePath === known.wirePath
  return error instanceof known
}

const http = httpWith(ANSWERS)

interface Settings {
  readonly PRODUCT_IMAGE_ROOT?: string
}

/** What browsers and shops talk to, over HTTP. */
export class GatewayService {
  static readonly name = 'gateway'
  config = config<Settings>()
  orders = proxy<OrdersService>('orders')
  products = proxy<ProductsService>('products')

  @http('GET', '/products/<string:product_id>')
  async get_product(_request: Request, product_id: string): Promise<HttpResult> {
    return Response.json(await this.products.get(product_id))
  }

  @http('POST', '/products')
  async create_product(request: Request): Promise<HttpResult> {
    const product = validated(PRODUCT, await jsonOf(request))
    await this.products.create(product)
    return Response.json({ id: product.id })
  }

  @http('GET', '/orders/<int:order_id>')
  async get_order(_request: Request, order_id: number): Promise<HttpResult> {
    const order = await this.orders.get_order(order_id)
    const products = new Map((await this.products.list()).map((one) => [one.id, one]))
    const { PRODUCT_IMAGE_ROOT: root = '' } = this.config
    const order_details = order.order_details.map((detail) => {
      const product = products.get(detail.product_id)
      if (product === undefined) throw new KeyError(detail.product_id)
      return { ...detail, product, image: `${root}/${detail.product_id}.jpg` }
    })
    return Response.json({ ...order, order_details })
  }

  @http('POST', '/orders')
  async create_order(request: Request): Promise<HttpResult> {
    const { order_details } = validated(NEW_ORDER, await jsonOf(request))
    const known = new Set((await this.products.list()).map(({ id }) => id))
    const unknown = order_details.find(({ product_id }) => !known.has(product_id))
    if (unknown !== undefined) throw new ProductNotFound(`Product Id ${unknown.product_id}`)
    const { id } = await this.orders.create_order(order_details)
    return Response.json({ id })
  }
}

/** @throws BadRequest with Python's words for what is wrong, which clients know */
async function jsonOf(request: Request): Promise<unknown> {
  const text = await request.text()
  const problem = jsonProblem(text)
  if (problem !== undefined) throw new BadRequest(`Invalid json: ${problem}`)
  return JSON.parse(text)
}
