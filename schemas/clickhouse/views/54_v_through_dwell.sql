CREATE OR REPLACE VIEW {{.Database}}.v_through_dwell
(
    {{period}}departure',
    place LowCardinality(String) COMMENT 'catalogue id of the place',
    place_name String COMMENT 'name of the place',
    country LowCardinality(String) COMMENT 'ISO country code of the place',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}; the report''s is of cars, here wagon',
    n UInt64 COMMENT 'stops from arrival to departure of units that came and went on, without any cap; containers and wagons each by itself',
{{hours "" "all those stops"}}
    max_h Nullable(Float64) COMMENT 'the longest of them, hours',
    capped_n UInt64 COMMENT 'stops that the report counts: those of at most ten days, and of units not in repair',
{{hours "capped_" "the stops of capped_n"}}
    dropped_long_n UInt64 COMMENT 'stops dropped for being longer than ten days: n = capped_n + dropped_long_n + dropped_repair_n',
    dropped_repair_n UInt64 COMMENT 'other stops dropped since a repair (activity wagon_repair) was reported in them: bad-order cars'
)
COMMENT 'Through dwell as North American railways report it (CN key weekly metrics): time from arrival or interchange to departure or interchange within a terminal, hours; dwells of more than ten days, stored and bad-order cars are dropped. Here with and without that, and how many were dropped. Not counted: where a run begins or ends. capped_ percentiles are NULL where capped_n is below {{minimum}}.'
AS SELECT
    {{periods "departed"}} AS period, place, any(v.place_name) AS place_name, any(v.country) AS country, unit_kind,
    count() AS n, {{in_hours "avg(dwell_s)"}} AS mean_h,
    {{enough "n" (in_hours (quantile "0.5" "dwell_s" "true"))}} AS median_h,
    {{enough "n" (in_hours (quantile "0.95" "dwell_s" "true"))}} AS p95_h, {{in_hours "max(dwell_s)"}} AS max_h,
    countIf(kept) AS capped_n, if(capped_n = 0, NULL, {{in_hours "avgIf(dwell_s, kept)"}}) AS capped_mean_h,
    {{enough "capped_n" (in_hours (quantile "0.5" "dwell_s" "kept"))}} AS capped_median_h,
    {{enough "capped_n" (in_hours (quantile "0.95" "dwell_s" "kept"))}} AS capped_p95_h,
    countIf(long) AS dropped_long_n, countIf(repair AND NOT long) AS dropped_repair_n
FROM (
    SELECT *, dwell_s > 864000 AS long, arrayExists(a -> a.kind = 'wagon_repair', activities) AS repair, NOT long AND NOT repair AS kept
    FROM {{.Database}}.v_visits
    WHERE stopped AND state = 'closed' AND isNotNull(dwell_s) AND isNotNull(departed) AND NOT origin AND NOT terminus
) AS v
GROUP BY period, place, unit_kind
