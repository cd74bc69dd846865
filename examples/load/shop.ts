// npx clew run examples/load/shop.ts:Payments --max-workers 4 --profile
// npx clew run examples/load/shop.ts:Orders --max-workers 1000 --profile
import { shop } from './services.ts'

const { orders, payments } = shop()
export const Orders = orders
export const Payments = payments
