import type { Trace } from 'clew/trace'
import { ordering } from './ordering.ts'
import { type CallSpec, traceOf } from './spec.ts'

/** A checkout of 25 calls to 17 services, one of which fails and is tried again. */
export function checkout(): Trace {
  return traceOf({
    name: 'edge-gateway.POST /checkout',
    host: 'edge-gateway-2',
    at: 0,
    total: 486,
    handle: 483,
    calls: [
      {
        name: 'auth.CheckSession',
        host: 'auth-5',
        at: 3.4,
        total: 12.3,
        handle: 11,
        calls: [{ name: 'sessions.Get', host: 'sessions-0', at: 5, total: 6.6, handle: 5.88 }],
      },
      {
        name: 'checkout.PlaceOrder',
        host: 'checkout-3',
        at: 17.5,
        total: 462,
        handle: 460,
        calls: [cart(), inventory(), payments(), orders()],
      },
      {
        name: 'notify.EnqueueReceipt',
        host: 'notify-1',
        at: 481,
        total: 3.5,
        handle: 2.6,
        edge: 'event',
      },
    ],
  })
}

function cart(): CallSpec {
  const repeats = Array.from({ length: 6 }, (_, index) => ({
    name: 'kv-store.MultiGet',
    host: `kv-store-${index % 3}`,
    at: 24.5 + index * 0.05,
    total: 5.2 + index * 0.2,
    handle: 4.9 + index * 0.2,
  }))
  return {
    name: 'cart.GetCart',
    host: 'cart-1',
    at: 21,
    total: 32.4,
    handle: 30.8,
    calls: [
      ...repeats,
      { name: 'pricing.QuoteItems', host: 'pricing-2', at: 32, total: 17.1, handle: 16 },
    ],
  }
}

function inventory(): CallSpec {
  return {
    name: 'inventory.ReserveStock',
    host: 'inventory-0',
    at: 57,
    total: 75.6,
    handle: 73.4,
    calls: [
      { name: 'sql-proxy.SelectForUpdate', host: 'sql-proxy-1', at: 61, total: 36.4, handle: 35.5 },
      { name: 'sql-proxy.Update', host: 'sql-proxy-1', at: 100, total: 27.5, handle: 26.6 },
    ],
  }
}

function payments(): CallSpec {
  const capture = { name: 'acquirer-adapter.Capture', host: 'acquirer-adapter-1' }
  return {
    name: 'payments.Authorize',
    host: 'payments-4',
    at: 137,
    total: 295,
    handle: 293,
    calls: [
      {
        name: 'fraud.ScoreTransaction',
        host: 'fraud-1',
        at: 142,
        total: 127,
        handle: 126,
        calls: [
          { name: 'features.BatchGet', host: 'features-3', at: 146, total: 25.8, handle: 24.5 },
          { name: 'ranking.Predict', host: 'ranking-gpu-0', at: 175, total: 88.1, handle: 84.9 },
        ],
      },
      {
        name: 'ledger.CreateHold',
        host: 'ledger-2',
        at: 273,
        total: 46.3,
        handle: 44.9,
        calls: [
          { name: 'sql-proxy.Insert', host: 'sql-proxy-3', at: 276.5, total: 35.3, handle: 34.2 },
        ],
      },
      {
        ...capture,
        at: 323,
        total: 105,
        handle: 65.9,
        status: 'error',
        error: 'Unavailable',
      },
    ],
  }
}

function orders(): CallSpec {
  return {
    name: 'orders.CreateOrder',
    host: 'orders-2',
    at: 436,
    total: 36.4,
    handle: 34.8,
    calls: [{ name: 'sql-proxy.Insert', host: 'sql-proxy-0', at: 440, total: 21.4, handle: 20.5 }],
  }
}

/** Ten equal calls of which one takes eleven times as long as the others. */
export function straggler(): Trace {
  const leaves = Array.from({ length: 10 }, (_, index) => ({
    name: 'leaf.work',
    host: `w${index}`,
    at: 1.5 + index * 0.1,
    total: index === 3 ? 61.2 : 4.5 + index * 0.2,
  }))
  return traceOf({ name: 'root.fan_out', host: 'w0', at: 0, total: 66, calls: leaves })
}

/** An error deep down that two callers pass on, beside everything else that can become of a call. */
export function failing(): Trace {
  return traceOf({
    name: 'gateway.checkout',
    host: 'gw-1',
    at: 0,
    total: 812,
    status: 'error',
    error: 'OrderFailed',
    calls: [
      {
        name: 'orders.create',
        host: 'orders-2',
        at: 4,
        total: 640,
        status: 'error',
        error: 'PaymentDeclined',
        calls: [
          { name: 'stock.reserve', host: 'w3', at: 8, total: 61, redelivered: true },
          {
            name: 'payments.charge',
            host: 'w7',
            at: 75,
            total: 430,
            status: 'error',
            error: 'PaymentDeclined',
          },
          { name: 'audit.write', at: 510, total: 40, presence: '1001' },
          {
            name: 'orders.db.INSERT INTO orders (id, customer) VALUES (?, ?)',
            at: 552,
            total: 12,
            presence: '1001',
            edge: 'down',
          },
        ],
      },
      {
        name: 'loyalty.points',
        host: 'loyalty-0',
        at: 650,
        total: 100,
        status: 'timeout',
        error: 'RpcTimeout',
        presence: '1101',
      },
      ...neglected(),
    ],
  })
}

/** Calls that ended in some way of their own. */
function neglected(): readonly CallSpec[] {
  return [
    { name: 'search.index', at: 655, total: 100, status: 'timeout', presence: '1001' },
    { name: 'mail.send', host: 'mail-1', at: 760, total: 30, attempt: 2, late: true },
    { name: 'tax.rate', at: 765, total: 2, status: 'rejected', error: 'MethodNotFound' },
    { name: 'geo.locate', host: 'geo-3', at: 770, total: 20, status: 'lost', presence: '1101' },
    {
      name: 'stats.count',
      host: 'stats-0',
      at: 790,
      total: 5,
      presence: '1000',
      status: 'pending',
    },
    {
      name: 'reports.build',
      host: 'reports-1',
      at: 700,
      total: 90,
      missing: 12,
      folds: [
        {
          service: 'reports.db',
          method: 'SELECT * FROM lines WHERE report = ?',
          count: 240,
          minMs: 0.2,
          medianMs: 0.31,
          maxMs: 4.1,
          sumMs: 79,
        },
      ],
    },
  ]
}

/** A chain: every call makes one. */
export function deep(levels = 200): Trace {
  let spec: CallSpec | undefined
  for (let level = levels - 1; level >= 0; level--) {
    const at = level * 2
    spec = {
      name: `stage_${level}.step`,
      host: `node-${level % 7}`,
      at,
      total: (levels - level) * 4 + 1,
      handle: (levels - level) * 4,
      ...(spec === undefined ? {} : { calls: [spec] }),
    }
  }
  return traceOf(spec!)
}

/** Many calls in two levels, of many services, none like another. */
export function wide(calls = 10_000): Trace {
  const groups = Math.max(1, Math.round(Math.sqrt(calls)))
  const each = Math.floor((calls - 1 - groups) / groups)
  const members = Array.from({ length: groups }, (_, group) => ({
    name: `service_${group % 23}.list_${group}`,
    host: `host-${group % 9}`,
    at: 1 + group * 9,
    total: 6 + ((group * 37) % 41),
    calls: Array.from({ length: each }, (_, leaf) => ({
      name: `store_${leaf % 11}.get_${(leaf * 7 + group) % 97}`,
      host: `host-${leaf % 9}`,
      at: 1 + group * 9 + (leaf * 5) / each,
      total: 0.5 + ((leaf * 13 + group) % 17) / 10,
    })),
  }))
  return traceOf({
    name: 'portal.report',
    host: 'portal-0',
    at: 0,
    total: groups * 9 + 50,
    calls: members,
  })
}

/** Names made to break whatever prints them. */
export function hostile(): Trace {
  const names = [
    'svc</text><script>alert(1)</script>.m"\'&<>',
    'red\x1b[31m\x07.clear\x1b[2J\x9b0m',
    'bidi\u202egnp.exe\u2066.zero\u200bwidth\ufeff',
    'lone\ud800surrogate\udc00.null\u0000\ufffe',
    `${'very-long-service-name-'.repeat(12)}.${'VeryLongMethodName'.repeat(20)}`,
    '决算服务.计算税款 🧾',
    'мир.Ελληνικά',
    ']]>.<!-- --><![CDATA[',
  ]
  return traceOf({
    name: names[0]!,
    host: 'host</title>\u0007\u202e',
    at: 0,
    total: 100,
    calls: names.slice(1).map((name, index) => ({
      name,
      host: `h\u0000${'x'.repeat(index * 12)}`,
      at: 1 + index * 10,
      total: 9,
      ...(index % 2 === 0 ? {} : { status: 'error' as const, error: `Err<b>\x1b[1m${name}` }),
    })),
  })
}

/** The smallest trace there is. */
export function single(): Trace {
  return traceOf({ name: 'greeting_service.hello', host: 'vm-1', at: 0, total: 2.72, handle: 1.9 })
}

export function pair(): Trace {
  return traceOf({
    name: 'greeting_service.hello',
    host: 'vm-1',
    at: 0,
    total: 6.41,
    calls: [{ name: 'id_service.get_id', host: 'vm-2', at: 1.1, total: 3.2 }],
  })
}

/** Those that pictures and text are compared by. */
export const GOLDEN_TRACES = {
  ...{ checkout, straggler, failing, deep, hostile, single, ordering },
} as const
