/** Where the password of a ClickHouse is looked for: a flag would be seen by everybody on the machine. */
export const CLICKHOUSE_PASSWORD = 'CLEW_CLICKHOUSE_PASSWORD'
