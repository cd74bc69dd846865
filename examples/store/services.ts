export { GatewayService } from './gateway.ts'
export { OrdersService } from './orders.ts'
export { ProductsService } from './products.ts'
