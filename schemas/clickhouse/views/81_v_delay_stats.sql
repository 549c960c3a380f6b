CREATE OR REPLACE VIEW {{.Database}}.v_delay_stats
(
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound or inbound: one side; pair: both, of which units that arrived together (consist) are one',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    hour {{time}} COMMENT 'begin of the hour, UTC',
    n UInt32 COMMENT 'those that ended in the hour and of which it is known how long they took',
    mean_s Nullable(Float64) COMMENT 'their mean time, seconds; NULL: none',
    p50_s Nullable(Float64) COMMENT 'their median, seconds; NULL: none',
    p90_s Nullable(Float64) COMMENT 'their 90th percentile, seconds; NULL: none',
    p95_s Nullable(Float64) COMMENT 'their 95th percentile, seconds; NULL: none',
    max_s Nullable(Float64) COMMENT 'the longest, seconds; NULL: none',
    waiting UInt32 COMMENT 'at the end of the hour: those that had begun and not ended; never those that were lost, or of which nobody knows when they ended',
    oldest_s Int64 COMMENT 'at the end of the hour: how long the oldest of them had waited, seconds; 0: none',
    held_upstream UInt32 COMMENT 'at the end of the hour: trains held before the border and bound for it; on the outbound side alone',
    arrivals UInt32 COMMENT 'those that began in the hour',
    releases UInt32 COMMENT 'those that ended in the hour',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'Borders by the hour. Hours in which nothing was there have no row; the hour that goes on has none yet.'
AS SELECT
    t.area AS area, t.border AS border, {{border "t.border"}} AS border_name, t.role AS role, t.direction AS direction, t.unit_kind AS unit_kind, t.hour AS hour, t.n AS n,
    if(t.n = 0, NULL, t.mean_s) AS mean_s, if(t.n = 0, NULL, t.p50_s) AS p50_s, if(t.n = 0, NULL, t.p90_s) AS p90_s,
    if(t.n = 0, NULL, t.p95_s) AS p95_s, if(t.n = 0, NULL, t.max_s) AS max_s,
    t.waiting AS waiting, t.oldest_s AS oldest_s, t.held_upstream AS held_upstream, t.arrivals AS arrivals, t.releases AS releases, t.known_at AS known_at
FROM {{from "delay_stats"}} AS t FINAL
