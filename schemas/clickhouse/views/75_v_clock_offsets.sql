CREATE OR REPLACE VIEW {{.Database}}.v_clock_offsets
(
    clock String COMMENT 'source whose clock is estimated',
    against String COMMENT 'source it is compared with; which of the two is right the view cannot tell',
    clock_place LowCardinality(String) COMMENT 'catalogue id of the place that clock reports of',
    against_place LowCardinality(String) COMMENT 'catalogue id of the place that against reports of',
    unit_kind LowCardinality(String) COMMENT 'train or vessel: never put together',
    n_to UInt64 COMMENT 'runs to clock_place',
    n_from UInt64 COMMENT 'runs from there',
    median_to_s Nullable(Float64) COMMENT 'median running time to clock_place, as the clocks tell it, seconds',
    median_from_s Nullable(Float64) COMMENT 'median running time from there, seconds',
    offset_s Nullable(Float64) COMMENT 'half of median_to_s less median_from_s, seconds; positive: clock is fast, or against slow; NULL without runs both ways',
    opposed_n UInt64 COMMENT 'runs that by the clocks arrived before they had departed: flagged here, their times stay as told'
)
COMMENT 'Offset between the clocks of two sources, from trains that both report of at neighbouring places. It assumes that the way takes equally long in both directions; few runs make it rough. No time is corrected by it.'
AS SELECT
    clock, against, clock_place, against_place, unit_kind, countIf(to_clock) AS n_to, countIf(NOT to_clock) AS n_from,
    quantileExactInclusiveOrNullIf(0.5)(running_s, to_clock) AS median_to_s, quantileExactInclusiveOrNullIf(0.5)(running_s, NOT to_clock) AS median_from_s,
    (median_to_s - median_from_s) / 2 AS offset_s, countIf(opposed) AS opposed_n
FROM {{.Database}}.v_clock_skew
GROUP BY clock, against, clock_place, against_place, unit_kind
