import { setTimeout as sleep } from 'node:timers/promises'
import { clusterProxy, proxy, rpc, type ServiceClass } from 'clew'

/** What the bank's service throws: the one failure that begins in it. */
export class BankUnavailable extends Error {
  override readonly name = 'BankUnavailable'
}

export interface Storefront {
  /** Finds articles: asks every shard of the index, and is as slow as the slowest. */
  search(words: string): Promise<{ readonly hits: number; readonly from: number }>
  /** Fails: the bank behind three other services is down. */
  place_order(article: string): Promise<string>
}

export interface ShopOptions {
  /** Put before every service's name, so that a shared broker's own services are left alone. */
  readonly prefix: string
  /** By how many milliseconds one shard is slower than the others. */
  readonly delayMs: number
}

/** A shard's usual time for an answer in milliseconds, one each. */
const SHARD_MS: readonly number[] = [9, 12, 8, 14, 11, 10, 12, 9, 13, 10]
/** The shard that straggles, from 0. */
const SLOW_SHARD = 6

interface Shard {
  search(words: string): Promise<number>
}
interface Search {
  query(words: string): Promise<number>
}
interface Accounts {
  session(): Promise<string>
}
interface Prices {
  quote(hits: number): Promise<number>
}
interface Checkout {
  submit(article: string): Promise<string>
}
interface Stock {
  reserve(article: string): Promise<boolean>
}
interface Payments {
  charge(cents: number): Promise<string>
}
interface Fraud {
  score(cents: number): Promise<number>
}
interface Bank {
  authorize(cents: number): Promise<string>
}

/** The services of a small shop. One of its ten search shards is slow, and its bank is down. */
export function shop(options: ShopOptions): readonly ServiceClass[] {
  return [
    ...front(options.prefix),
    ...searching(options),
    ...paying(options.prefix),
    ...small(options.prefix),
  ]
}

function front(prefix: string): readonly ServiceClass[] {
  class Gateway implements Storefront {
    static readonly name = `${prefix}gateway`
    accounts = proxy<Accounts>(`${prefix}accounts`)
    index = proxy<Search>(`${prefix}search`)
    prices = proxy<Prices>(`${prefix}prices`)
    checkout = proxy<Checkout>(`${prefix}checkout`)

    @rpc async search(words: string): Promise<{ hits: number; from: number }> {
      await this.accounts.session()
      const hits = await this.index.query(words)
      return { hits, from: await this.prices.quote(hits) }
    }

    @rpc async place_order(article: string): Promise<string> {
      await this.accounts.session()
      return await this.checkout.submit(article)
    }
  }
  return [Gateway]
}

function searching({ prefix, delayMs }: ShopOptions): readonly ServiceClass[] {
  const names = SHARD_MS.map((_, at) => `${prefix}shard_${String(at + 1).padStart(2, '0')}`)

  class SearchService {
    static readonly name = `${prefix}search`
    services = clusterProxy<Readonly<Record<string, Shard>>>()

    @rpc async query(words: string): Promise<number> {
      const pending = names.map((name) => this.services[name]!.search(words))
      return (await Promise.all(pending)).reduce((sum, hits) => sum + hits, 0)
    }
  }

  const shards = names.map((name, at): ServiceClass => {
    const ms = SHARD_MS[at]! + (at === SLOW_SHARD ? delayMs : 0)
    return class implements Shard {
      static readonly name = name

      @rpc async search(words: string): Promise<number> {
        await sleep(ms)
        return words.length + at
      }
    }
  })
  return [SearchService, ...shards]
}

function paying(prefix: string): readonly ServiceClass[] {
  class CheckoutService {
    static readonly name = `${prefix}checkout`
    stock = proxy<Stock>(`${prefix}stock`)
    payments = proxy<Payments>(`${prefix}payments`)

    @rpc async submit(article: string): Promise<string> {
      await this.stock.reserve(article)
      return await this.payments.charge(4990)
    }
  }

  class PaymentsService {
    static readonly name = `${prefix}payments`
    fraud = proxy<Fraud>(`${prefix}fraud`)
    bank = proxy<Bank>(`${prefix}bank`)

    @rpc async charge(cents: number): Promise<string> {
      await this.fraud.score(cents)
      return await this.bank.authorize(cents)
    }
  }

  class BankService {
    static readonly name = `${prefix}bank`

    @rpc async authorize(cents: number): Promise<string> {
      await sleep(25)
      throw new BankUnavailable(`no line to the bank for ${cents} cents`)
    }
  }

  return [CheckoutService, PaymentsService, BankService]
}

function small(prefix: string): readonly ServiceClass[] {
  class AccountsService {
    static readonly name = `${prefix}accounts`

    @rpc async session(): Promise<string> {
      await sleep(4)
      return 'ada'
    }
  }

  class PricesService {
    static readonly name = `${prefix}prices`

    @rpc async quote(hits: number): Promise<number> {
      await sleep(7)
      return hits * 100
    }
  }

  class StockService {
    static readonly name = `${prefix}stock`

    @rpc async reserve(article: string): Promise<boolean> {
      await sleep(11)
      return article !== ''
    }
  }

  class FraudService {
    static readonly name = `${prefix}fraud`

    @rpc async score(cents: number): Promise<number> {
      await sleep(16)
      return cents / 100_000
    }
  }

  return [AccountsService, PricesService, StockService, FraudService]
}
