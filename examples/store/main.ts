// node examples/dist/store/main.js [--broker URL] [--database URL] [--cache URL] [--port 8000]
import { run } from 'clew'
import { HttpServer } from 'clew/http'
import { profile } from 'clew/profile'
import { brokerAt, options } from '../options.ts'
import { STORE_ERRORS } from './errors.ts'
import { GatewayService, OrdersService, ProductsService } from './services.ts'

const { broker, database, cache, port, images } = options({
  broker: 'memory',
  database: 'pglite:',
  cache: 'memory:',
  port: 8000,
  images: 'http://localhost:8000/images',
})

const running = await run([GatewayService, OrdersService, ProductsService], {
  broker: brokerAt(broker),
  use: [profile()],
  errors: STORE_ERRORS,
  config: {
    DB_URIS: { 'orders:Base': database },
    REDIS_URI: cache,
    PRODUCT_IMAGE_ROOT: images,
    http: { host: '127.0.0.1', port },
  },
})
console.log(`the store is open at ${running.shared(HttpServer).url}; Ctrl-C closes it`)
await running.stopped
