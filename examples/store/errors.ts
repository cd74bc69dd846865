// Errors that cross the wire, under the names that the Python services know them by.

/** @see Nameko's example: `orders.exceptions.NotFound` */
export class OrderNotFound extends Error {
  static readonly wirePath = 'orders.exceptions.NotFound'
  override readonly name = 'OrderNotFound'
}

export class ProductNotFound extends Error {
  static readonly wirePath = 'products.exceptions.NotFound'
  override readonly name = 'ProductNotFound'
}

/** Something is not as it must be; what, by the names of the fields, as marshmallow tells it. */
export class ValidationError extends Error {
  static readonly wirePath = 'marshmallow.exceptions.ValidationError'
  override readonly name = 'ValidationError'
}

/** Python's own: a dictionary lacks a key. */
export class KeyError extends Error {
  static readonly wirePath = 'builtins.KeyError'
  override readonly name = 'KeyError'
  readonly args: readonly string[]

  constructor(key: string) {
    super(`'${key}'`)
    this.args = [key]
  }
}

/** For `run`: errors of these names are thrown as these classes at the caller. */
export const STORE_ERRORS = {
  [OrderNotFound.wirePath]: OrderNotFound,
  [ProductNotFound.wirePath]: ProductNotFound,
  [ValidationError.wirePath]: ValidationError,
}
