export type { DemoOptions } from './demo.ts'
export { measureStore } from './demo.ts'
export { STORE_ERRORS } from './errors.ts'
export { GatewayService, OrdersService, ProductsService } from './services.ts'
