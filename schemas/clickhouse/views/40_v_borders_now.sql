CREATE OR REPLACE VIEW {{.Database}}.v_borders_now
(
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound: the side that is left; inbound: the side that is entered',
    country LowCardinality(String) COMMENT 'ISO country code of the side',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together. Where the gauge changes a train waits until it is unloaded and ends, and the next begins with the load: how long cargo waits there is told by container',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    waiting UInt64 COMMENT 'units on the side now (state open or silent), but for wagons where the gauge changes: they stay on their gauge, wait for no crossing and have no row',
    silent UInt64 COMMENT 'of those waiting: trackers beyond their interval',
    candidates UInt64 COMMENT 'of those waiting: not confirmed yet to cross',
    begun_here UInt64 COMMENT 'of those waiting: runs that begin on this side, as trains do where the gauge changes; they count from their beginning and have no norm. One that begins beyond the border has no row here: it waits for no crossing, see v_border_days',
    oldest_s Nullable(Int64) COMMENT 'how long the longest waiting has been on the side, seconds',
    oldest_unit String COMMENT 'the longest waiting',
    median_s Nullable(Float64) COMMENT 'median of how long those waiting have been on the side, seconds',
    norm_s Nullable(Int64) COMMENT 'norm of the whole stay on the side, seconds; NULL: none, or for none of those here',
    over_norm UInt64 COMMENT 'of those waiting: longer than the norm',
    worst_delay_s Nullable(Int64) COMMENT 'the longest time by which one of those waiting is beyond its norm, seconds; negative: within; NULL: none has a norm',
    released_24h UInt64 COMMENT 'units that left the side within the 24 hours up to v_now',
    released_median_s Nullable(Float64) COMMENT 'median of their time on the side, seconds; of trains that begin or end here only of that part'
)
COMMENT 'What stands at each side of each border at v_now, and what left within a day. Delays while they happen: oldest_s against norm_s. Until a train that came to the outbound side is seen beyond the border it is a candidate.'
AS WITH (SELECT now FROM {{.Database}}.v_now) AS stage_time
SELECT
    border, any(s.border_name) AS border_name, role, any(s.country) AS country, direction, unit_kind, any(s.area) AS area,
    countIf(isNotNull(running_s)) AS waiting, countIf(state = 'silent') AS silent, countIf(isNotNull(running_s) AND candidate) AS candidates,
    countIf(isNotNull(running_s) AND begins_here) AS begun_here,
    max(running_s) AS oldest_s, argMaxIf(unit, (running_s, unit), isNotNull(running_s)) AS oldest_unit,
    if(waiting = 0, NULL, quantileExactInclusiveIf(0.5)(assumeNotNull(running_s), isNotNull(running_s))) AS median_s,
    max(s.norm_s) AS norm_s, countIf(running_s > s.norm_s) AS over_norm, max(s.running_delay_norm_s) AS worst_delay_s,
    countIf(recent) AS released_24h,
    if(released_24h = 0, NULL, quantileExactInclusiveIf(0.5)(assumeNotNull(side_s), recent)) AS released_median_s
FROM (
    SELECT *, isNotNull(side_s) AND ended > stage_time - INTERVAL 24 HOUR AND ended <= stage_time AS recent
    FROM {{.Database}}.crossing_sides
    WHERE NOT (unit_kind = 'wagon' AND gauge_break != '')
) AS s
GROUP BY border, role, direction, unit_kind
HAVING waiting > 0 OR released_24h > 0
