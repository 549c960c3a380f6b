CREATE OR REPLACE VIEW {{.Database}}.v_punctuality
(
    {{period}}the time that is compared',
    point LowCardinality(String) COMMENT 'origin: departure from where the run begins; border: arrival at a border station; destination: arrival at the planned destination, or where the run ended if none was planned',
    place LowCardinality(String) COMMENT 'catalogue id of the place',
    place_name String COMMENT 'name of the place',
    border LowCardinality(String) COMMENT 'of point border: catalogue id of the border; else empty',
    direction LowCardinality(String) COMMENT 'up: with the order of places of its corridor; down: against it; empty: not known',
    unit_kind LowCardinality(String) COMMENT 'train or vessel: never add them up; containers have no timetable of their own',
    runs UInt64 COMMENT 'runs that were seen at this point',
    n UInt64 COMMENT 'of those: with a planned time (the latest plan counts), so that punctuality is known',
    coverage Nullable(Float64) COMMENT 'n / runs, from 0 to 1; NULL: runs below {{minimum}}',
    on_time_n UInt64 COMMENT 'of n: at most 30 minutes late; early is on time',
    on_time_share Nullable(Float64) COMMENT 'on_time_n / n, from 0 to 1; NULL: no plans, or n below {{minimum}}',
    mean_delay_min Nullable(Float64) COMMENT 'mean delay, minutes; negative: early; NULL: no plans',
    median_delay_min Nullable(Float64) COMMENT 'median delay, minutes; NULL: n below {{minimum}}',
    p95_delay_min Nullable(Float64) COMMENT '95th percentile of the delay, minutes; NULL: n below {{minimum}}'
)
COMMENT 'Punctuality as RNE and the rail freight corridors report it: share of trains at most 30 minutes late at origin, border and destination. A run without a plan has no delay, and is not counted as punctual. Origin is where a run begins: a through train that leaves a station late is not in it, see v_visits.'
AS SELECT
    {{periods "at"}} AS period, point, place, any(v.place_name) AS place_name, border, direction, unit_kind,
    count() AS runs, count(delay_s) AS n, {{enough "runs" "round(n / runs, 4)"}} AS coverage,
    countIf(delay_s <= 1800) AS on_time_n, {{enough "n" "round(on_time_n / n, 4)"}} AS on_time_share,
    if(n = 0, NULL, round(avg(delay_s) / 60, 2)) AS mean_delay_min,
    {{enough "n" (printf "round(%s / 60, 2)" (quantile "0.5" "delay_s" "isNotNull(delay_s)"))}} AS median_delay_min,
    {{enough "n" (printf "round(%s / 60, 2)" (quantile "0.95" "delay_s" "isNotNull(delay_s)"))}} AS p95_delay_min
FROM (
    SELECT 'origin' AS point, place, place_name, '' AS border, direction, unit_kind, departed AS at, departure_delay_s AS delay_s
    FROM {{.Database}}.v_visits WHERE origin
    UNION ALL
    SELECT 'border' AS point, e.place AS place, place_name, b.border AS border, direction, unit_kind, coalesce(arrived, if(stopped, NULL, entered)) AS at,
        coalesce(arrival_delay_s, {{seconds "planned_arrival" "at"}}) AS delay_s
    FROM {{.Database}}.v_visits AS e
    INNER JOIN (
        SELECT id AS border, arrayJoin(arrayConcat(places_a, places_b)) AS place FROM {{.Database}}.catalogue_borders
    ) AS b ON b.place = toString(e.place)
    WHERE NOT origin
    UNION ALL
    SELECT 'destination' AS point, e.place AS place, place_name, '' AS border, direction, unit_kind, arrived AS at, arrival_delay_s AS delay_s
    FROM {{.Database}}.v_visits AS e
    GLOBAL LEFT JOIN (SELECT run, destination FROM {{.Database}}.v_train_status) AS r ON r.run = e.unit
    WHERE NOT origin AND if(r.destination = '', terminus, e.place = r.destination)
) AS v
WHERE unit_kind IN ('train', 'vessel') AND isNotNull(at)
GROUP BY period, point, place, border, direction, unit_kind
