import { SKETCH_ERROR } from 'clew/trace'
import { ZERO_BIN } from '../bins.ts'

/** Where the tables live. */
export const DATABASE = 'clew'

/** Width of a rollup's buckets. */
export const BUCKET_S = 900
export const HOUR_S = 3_600

/** The bins of `Sketch`: its logarithms' base. */
const PER_LOG = 1 / Math.log((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR))
/** The bin of a duration in microseconds, as `Sketch` counts milliseconds. */
export const binOf = (us: string) =>
  `if(${us} > 0, toInt16(ceil(log(${us} / 1000) * ${PER_LOG})), toInt16(${ZERO_BIN}))`

/**
 * The tables, in the one dialect of the embedded engine and of a cluster. Names are LowCardinality,
 * numbers lie as their differences need; nothing of a call is kept twice but what it is searched by.
 *
 * A summary is never changed in place: its rows are written again with sign -1, which takes them out of
 * every sum, and the new ones follow with a higher version. Merges let such pairs vanish.
 */
export const TABLES = {
  packets: {
    columns: `
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    arrived UInt64 CODEC(DoubleDelta, ZSTD(1)),
    batch FixedString(16) CODEC(ZSTD(1)),
    cut UInt16 CODEC(ZSTD(1)),
    bytes String CODEC(ZSTD(6))`,
    engine: 'MergeTree',
    partition: 'intDiv(arrived, 86400000)',
    order: '(tenant, trace_id, arrived)',
    settings:
      'index_granularity = 256, min_compress_block_size = 4194304, max_compress_block_size = 4194304',
  },
  accounts: {
    columns: `
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    arrived UInt64 CODEC(DoubleDelta, ZSTD(1)),
    batch FixedString(16) CODEC(ZSTD(1)),
    instance FixedString(8) CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    host LowCardinality(String) CODEC(ZSTD(1)),
    pid UInt32 CODEC(ZSTD(1)),
    road LowCardinality(String) CODEC(ZSTD(1)),
    taken UInt64 CODEC(T64, ZSTD(1)),
    stored UInt64 CODEC(T64, ZSTD(1)),
    rejected Map(LowCardinality(String), UInt64) CODEC(ZSTD(1)),
    dropped Map(LowCardinality(String), UInt64) CODEC(ZSTD(1))`,
    engine: 'MergeTree',
    partition: 'intDiv(arrived, 86400000)',
    order: '(tenant, instance, batch)',
    settings: 'index_granularity = 8192',
  },
  traces: {
    columns: `
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    hour UInt32 CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    start UInt64 CODEC(T64, ZSTD(1)),
    total Int64 CODEC(T64, ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    method LowCardinality(String) CODEC(ZSTD(1)),
    host LowCardinality(String) CODEC(ZSTD(1)),
    status LowCardinality(String) CODEC(ZSTD(1)),
    error LowCardinality(String) CODEC(ZSTD(1)),
    calls UInt32 CODEC(T64, ZSTD(1)),
    missing UInt32 CODEC(T64, ZSTD(1)),
    services UInt16 CODEC(T64, ZSTD(1)),
    depth UInt16 CODEC(T64, ZSTD(1)),
    failed_service LowCardinality(String) CODEC(ZSTD(1)),
    failed_method LowCardinality(String) CODEC(ZSTD(1)),
    bottleneck_service LowCardinality(String) CODEC(ZSTD(1)),
    bottleneck_method LowCardinality(String) CODEC(ZSTD(1)),
    bottleneck_share Float32 CODEC(ZSTD(1)),
    complete UInt8 CODEC(ZSTD(1)),
    source LowCardinality(String) CODEC(ZSTD(1)),
    weight Float64 CODEC(ZSTD(1)),
    packets UInt32 CODEC(T64, ZSTD(1)),
    part_service Array(LowCardinality(String)) CODEC(ZSTD(1)),
    part_layer Array(LowCardinality(String)) CODEC(ZSTD(1)),
    part_us Array(UInt64) CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    sign Int8 CODEC(ZSTD(1)),
    INDEX by_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1`,
    engine: 'VersionedCollapsingMergeTree(sign, version)',
    partition: 'intDiv(hour, 24)',
    order: '(tenant, hour, trace_id)',
    settings: 'index_granularity = 8192',
  },
  calls: {
    columns: `
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    hour UInt32 CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    n UInt32 CODEC(Delta, ZSTD(1)),
    start UInt64 CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    method LowCardinality(String) CODEC(ZSTD(1)),
    caller_service LowCardinality(String) CODEC(ZSTD(1)),
    caller_method LowCardinality(String) CODEC(ZSTD(1)),
    edge LowCardinality(String) CODEC(ZSTD(1)),
    host LowCardinality(String) CODEC(ZSTD(1)),
    program_version LowCardinality(String) CODEC(ZSTD(1)),
    total Int64 CODEC(T64, ZSTD(1)),
    self Int64 CODEC(T64, ZSTD(1)),
    critical UInt64 CODEC(T64, ZSTD(1)),
    status LowCardinality(String) CODEC(ZSTD(1)),
    error LowCardinality(String) CODEC(ZSTD(1)),
    in_flight UInt32 CODEC(T64, ZSTD(1)),
    origin UInt8 CODEC(ZSTD(1)),
    straggler UInt8 CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    weight Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    sign Int8 CODEC(ZSTD(1))`,
    engine: 'VersionedCollapsingMergeTree(sign, version)',
    partition: 'intDiv(hour, 24)',
    order: '(tenant, hour, trace_id, n)',
    settings: 'index_granularity = 8192',
  },
  calls_rollup: {
    columns: `
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    bucket UInt32 CODEC(Delta, ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    method LowCardinality(String) CODEC(ZSTD(1)),
    caller_service LowCardinality(String) CODEC(ZSTD(1)),
    caller_method LowCardinality(String) CODEC(ZSTD(1)),
    edge LowCardinality(String) CODEC(ZSTD(1)),
    calls SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    failed SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    origins SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    critical SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    total_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    self_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    in_flight_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    in_flight_calls SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    total_bins SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1)),
    self_bins SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))`,
    engine: 'AggregatingMergeTree',
    partition: `intDiv(bucket, ${86_400 / BUCKET_S})`,
    order: '(tenant, bucket, service, method, caller_service, caller_method, edge)',
    settings: 'index_granularity = 1024',
  },
  requests_rollup: {
    columns: `
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    bucket UInt32 CODEC(Delta, ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    method LowCardinality(String) CODEC(ZSTD(1)),
    requests SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    failed SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    total_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    total_bins SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))`,
    engine: 'AggregatingMergeTree',
    partition: `intDiv(bucket, ${86_400 / BUCKET_S})`,
    order: '(tenant, bucket, service, method)',
    settings: 'index_granularity = 1024',
  },
  parts_rollup: {
    columns: `
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    bucket UInt32 CODEC(Delta, ZSTD(1)),
    request_service LowCardinality(String) CODEC(ZSTD(1)),
    request_method LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    layer LowCardinality(String) CODEC(ZSTD(1)),
    requests SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    bins SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))`,
    engine: 'AggregatingMergeTree',
    partition: `intDiv(bucket, ${86_400 / BUCKET_S})`,
    order: '(tenant, bucket, request_service, request_method, service, layer)',
    settings: 'index_granularity = 1024',
  },
} as const

export type TableName = keyof typeof TABLES

const FAILED = "status NOT IN ('ok', 'pending')"

/** What fills the rollups, as rows arrive; of rows with sign -1 everything is taken out again. */
export const VIEWS = {
  calls_to_rollup: {
    to: 'calls_rollup',
    from: 'calls',
    select: `SELECT tenant, toUInt32(intDiv(start, ${BUCKET_S * 1_000_000})) AS bucket, service, method,
    caller_service, caller_method, edge, sum(weight * sign) AS calls,
    sum((${FAILED}) * weight * sign) AS failed, sum(origin * weight * sign) AS origins,
    sum(critical * weight * sign) AS critical, sum(greatest(total, 0) * weight * sign) AS total_sum,
    sum(greatest(self, 0) * weight * sign) AS self_sum, sum(in_flight * weight * sign) AS in_flight_sum,
    sum((in_flight > 0) * weight * sign) AS in_flight_calls,
    sumMap(if(total >= 0, map(${binOf('total')}, weight * sign), CAST(map(), 'Map(Int16, Float64)'))) AS total_bins,
    sumMap(if(self >= 0, map(${binOf('self')}, weight * sign), CAST(map(), 'Map(Int16, Float64)'))) AS self_bins`,
    group: 'tenant, bucket, service, method, caller_service, caller_method, edge',
  },
  traces_to_rollup: {
    to: 'requests_rollup',
    from: 'traces',
    select: `SELECT tenant, toUInt32(intDiv(start, ${BUCKET_S * 1_000_000})) AS bucket, service, method,
    sum(weight * sign) AS requests, sum((${FAILED}) * weight * sign) AS failed,
    sum(greatest(total, 0) * weight * sign) AS total_sum,
    sumMap(if(total >= 0, map(${binOf('total')}, weight * sign), CAST(map(), 'Map(Int16, Float64)'))) AS total_bins`,
    group: 'tenant, bucket, service, method',
  },
  parts_to_rollup: {
    to: 'parts_rollup',
    from: 'traces',
    select: `SELECT tenant, toUInt32(intDiv(start, ${BUCKET_S * 1_000_000})) AS bucket,
    traces.service AS request_service, traces.method AS request_method, part.1 AS service,
    part.2 AS layer, sum(weight * sign) AS requests, sum(part.3 * weight * sign) AS sum,
    sumMap(map(${binOf('part.3')}, weight * sign)) AS bins`,
    join: 'ARRAY JOIN arrayZip(part_service, part_layer, part_us) AS part',
    group: 'tenant, bucket, request_service, request_method, service, layer',
  },
} as const

/** Where tables are made, and how they are called there. */
export interface Placing {
  /** ` ON CLUSTER …`, or nothing. */
  readonly on: string
  /** What the names of tables that hold rows end with. */
  readonly suffix: string
  /** The engine of a table, given the one for a single server. */
  engineOf(engine: string, table: string): string
}

/** Statements that make what is not there yet, on one server or in this process. */
export const embeddedSchema = (): readonly string[] =>
  schemaOf({ on: '', suffix: '', engineOf: (engine) => engine })

/** Statements that make what is not there yet. */
export function schemaOf({ on, suffix, engineOf }: Placing): readonly string[] {
  const tables = Object.entries(TABLES).map(
    ([name, { columns, engine, partition, order, settings }]) =>
      `CREATE TABLE IF NOT EXISTS ${DATABASE}.${name}${suffix}${on} (${columns}) ENGINE = ${engineOf(engine, name)} PARTITION BY ${partition} ORDER BY ${order} SETTINGS ${settings}, ${DURABLE}`,
  )
  const views = Object.entries(VIEWS).map(
    ([name, view]) =>
      `CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.${name}${on} TO ${DATABASE}.${view.to}${suffix} AS ${view.select} FROM ${DATABASE}.${view.from}${suffix} AS ${view.from} ${'join' in view ? view.join : ''} GROUP BY ${view.group}`,
  )
  return [`CREATE DATABASE IF NOT EXISTS ${DATABASE}${on}`, ...tables, ...views]
}

/**
 * On the disk before an insert is answered, and merged before what it was merged of goes; a token that was seen of late is not inserted again; parts
 * that cannot be read are put aside, however many.
 */
const DURABLE =
  'fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1, non_replicated_deduplication_window = 1000, old_parts_lifetime = 1, max_suspicious_broken_parts = 1000000, max_suspicious_broken_parts_bytes = 1000000000000000'
