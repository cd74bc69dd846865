export type { DemoOptions, DemoStore } from './demo.ts'
export { openStore } from './demo.ts'
export { STORE_ERRORS } from './errors.ts'
export { GatewayService, OrdersService, ProductsService } from './services.ts'
