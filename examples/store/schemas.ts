import { decimal, list, object, text, whole } from './validation.ts'

export interface Product {
  readonly id: string
  readonly title: string
  readonly passenger_capacity: number
  readonly maximum_speed: number
  readonly in_stock: number
}

/** What is ordered. Money travels as text: JSON's numbers are not exact. */
export interface NewOrderDetail {
  readonly product_id: string
  readonly price: string
  readonly quantity: number
}

export interface OrderDetail extends NewOrderDetail {
  readonly id: number
}

export interface Order {
  readonly id: number
  readonly order_details: readonly OrderDetail[]
}

/** What `orders` tells others, by the events' types. */
export interface OrderEvents {
  readonly order_created: { readonly order: Order }
}

export const PRODUCT = object<Product>({
  id: text,
  title: text,
  passenger_capacity: whole,
  maximum_speed: whole,
  in_stock: whole,
})

export const NEW_ORDER = object({
  order_details: list(
    object<NewOrderDetail>({ product_id: text, price: decimal, quantity: whole }),
  ),
})
