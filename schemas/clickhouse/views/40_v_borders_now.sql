CREATE OR REPLACE VIEW {{.Database}}.v_borders_now
(
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound: the side that is left; inbound: the side that is entered',
    country LowCardinality(String) COMMENT 'ISO country code of the side',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    waiting UInt64 COMMENT 'units on the side now (state open or silent)',
    silent UInt64 COMMENT 'of those waiting: trackers beyond their interval',
    candidates UInt64 COMMENT 'of those waiting: not confirmed yet to cross',
    oldest_s Nullable(Int64) COMMENT 'how long the longest waiting has been on the side, seconds',
    oldest_unit String COMMENT 'the longest waiting',
    median_s Nullable(Float64) COMMENT 'median of how long those waiting have been on the side, seconds',
    norm_s Nullable(Int64) COMMENT 'norm of the side, seconds; NULL: none',
    over_norm UInt64 COMMENT 'of those waiting: longer than the norm',
    worst_delay_s Nullable(Int64) COMMENT 'oldest_s - norm_s, seconds; negative: within the norm',
    released_24h UInt64 COMMENT 'units that left the side within 24 hours before v_now',
    released_median_s Nullable(Float64) COMMENT 'median of their time on the side, seconds'
)
AS WITH (SELECT now FROM {{.Database}}.v_now) AS stage_time
SELECT
    border, any(s.border_name) AS border_name, role, any(s.country) AS country, direction, unit_kind, any(s.area) AS area,
    countIf(isNotNull(running_s)) AS waiting, countIf(state = 'silent') AS silent, countIf(isNotNull(running_s) AND candidate) AS candidates,
    max(running_s) AS oldest_s, argMaxIf(unit, (running_s, unit), isNotNull(running_s)) AS oldest_unit,
    if(waiting = 0, NULL, quantileExactInclusiveIf(0.5)(assumeNotNull(running_s), isNotNull(running_s))) AS median_s,
    max(s.norm_s) AS norm_s, countIf(running_s > s.norm_s) AS over_norm, oldest_s - norm_s AS worst_delay_s,
    countIf(recent) AS released_24h,
    if(released_24h = 0, NULL, quantileExactInclusiveIf(0.5)(assumeNotNull(side_s), recent)) AS released_median_s
FROM (
    SELECT *, isNotNull(side_s) AND coalesce(left, departed) > stage_time - INTERVAL 24 HOUR AS recent
    FROM {{.Database}}.v_crossing_sides
) AS s
GROUP BY border, role, direction, unit_kind
HAVING waiting > 0 OR released_24h > 0
