CREATE OR REPLACE VIEW {{.Database}}.v_dwell_by_place
(
    place LowCardinality(String) COMMENT 'catalogue id of the place',
    place_name String COMMENT 'name of the place',
    country LowCardinality(String) COMMENT 'ISO country code of the place',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    n UInt64 COMMENT 'stops that have ended; passes are not counted; containers and wagons each by itself: by consist only v_tfi1 counts',
    part_n UInt64 COMMENT 'of n: where the run begins (dwell counts from when it was first heard of) or ends, as trains do where the gauge changes: a part of the stay of its load, for which ask container',
    mean_s Nullable(Float64) COMMENT 'mean of dwell_s, seconds',
    median_s Nullable(Float64) COMMENT 'median of dwell_s, seconds; NULL: n below {{minimum}}',
    p95_s Nullable(Float64) COMMENT '95th percentile of dwell_s, seconds; NULL: n below {{minimum}}',
    max_s Nullable(Int64) COMMENT 'longest dwell_s, seconds',
    capped_n UInt64 COMMENT 'stops of at most ten days, as some railways count',
    capped_mean_s Nullable(Float64) COMMENT 'mean of dwell_s of those, seconds',
    standing_now UInt64 COMMENT 'units that stand there now (state open or silent)',
    first_arrival Nullable({{time}}) COMMENT 'of the stops counted, UTC',
    last_departure Nullable({{time}}) COMMENT 'of the stops counted, UTC'
)
COMMENT 'How long units stand at each place, over all time. By month, and with the cap of ten days: v_through_dwell; by side of a border: v_tfi1.'
AS SELECT
    place, any(v.place_name) AS place_name, any(v.country) AS country, unit_kind,
    count(dwell_s) AS n, countIf(isNotNull(dwell_s) AND (origin OR terminus)) AS part_n, avg(dwell_s) AS mean_s,
    {{enough "n" (quantile "0.5" "dwell_s" "isNotNull(dwell_s)")}} AS median_s,
    {{enough "n" (printf "round(%s, 3)" (quantile "0.95" "dwell_s" "isNotNull(dwell_s)"))}} AS p95_s,
    max(dwell_s) AS max_s,
    countIf(dwell_s <= 864000) AS capped_n, avgIf(dwell_s, dwell_s <= 864000) AS capped_mean_s,
    countIf(isNotNull(running_s)) AS standing_now,
    minIf(arrived, isNotNull(dwell_s)) AS first_arrival, maxIf(departed, isNotNull(dwell_s)) AS last_departure
FROM {{.Database}}.v_visits AS v
WHERE stopped
GROUP BY place, unit_kind
