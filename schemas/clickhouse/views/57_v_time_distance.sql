CREATE OR REPLACE VIEW {{.Database}}.v_time_distance
(
    {{period}}departure from origin',
    corridor LowCardinality(String) COMMENT 'corridor of the catalogue; journeys that several corridors hold equally well are in each: filter on one',
    corridor_name String COMMENT 'name of the corridor',
    direction LowCardinality(String) COMMENT 'up: with the order of places of the corridor; down: against it',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    origin LowCardinality(String) COMMENT 'catalogue id of the place the journeys of this row begin at: one profile has one origin',
    origin_name String COMMENT 'its name',
    place LowCardinality(String) COMMENT 'catalogue id of the place',
    place_name String COMMENT 'name of the place',
    km Float64 COMMENT 'x: distance from origin by the catalogue, km',
    n UInt64 COMMENT 'journeys that came to or passed this place; it falls along the way where journeys end or are still under way',
    of_n UInt64 COMMENT 'journeys that began at origin',
    coverage Nullable(Float64) COMMENT 'n / of_n, from 0 to 1; NULL: of_n below {{minimum}}',
{{hours "arrived_" "y at arrival: time since departure from origin"}}
    departed_n UInt64 COMMENT 'of n: those that have gone on',
{{hours "departed_" "y at departure: time since departure from origin"}}
    stop_mean_h Nullable(Float64) COMMENT 'vertical step: mean of departure - arrival of those that have gone on, hours; 0 where all pass'
)
COMMENT 'UNESCAP time/cost-distance profile: plot km (x) against cumulative hours (y), for each place first arrived_ and then departed_; legs are slopes, stops and border crossings vertical steps. Filter on period, corridor, direction, unit_kind and origin, ORDER BY km. Percentiles are of the times at a place, so a line of p95 is not one journey; they are NULL where n (or departed_n) is below {{minimum}}.'
AS SELECT
    period, corridor, any(s.corridor_name) AS corridor_name, direction, unit_kind, origin, {{place "origin"}} AS origin_name,
    place, any(s.place_name) AS place_name, round(any(s.km), 3) AS km,
    count(arrived_h) AS n, max(of_n) AS of_n, {{enough "of_n" "round(n / of_n, 4)"}} AS coverage,
    if(n = 0, NULL, round(sum(toInt64(round((arrived_h) * 10000))) / n / 10000, 4)) AS arrived_mean_h,
    {{enough "n" (printf "round(%s, 4)" (quantile "0.5" "arrived_h" "isNotNull(arrived_h)"))}} AS arrived_median_h,
    {{enough "n" (printf "round(%s, 4)" (quantile "0.95" "arrived_h" "isNotNull(arrived_h)"))}} AS arrived_p95_h,
    count(departed_h) AS departed_n,
    if(departed_n = 0, NULL, round(sum(toInt64(round((departed_h) * 10000))) / departed_n / 10000, 4)) AS departed_mean_h,
    {{enough "departed_n" (printf "round(%s, 4)" (quantile "0.5" "departed_h" "isNotNull(departed_h)"))}} AS departed_median_h,
    {{enough "departed_n" (printf "round(%s, 4)" (quantile "0.95" "departed_h" "isNotNull(departed_h)"))}} AS departed_p95_h,
    if(departed_n = 0, NULL, round(sum(toInt64(round((departed_h - arrived_h) * 10000))) / departed_n / 10000, 4)) AS stop_mean_h
FROM (
    SELECT *, countIf(place = origin) OVER (PARTITION BY period, corridor, direction, unit_kind, origin) AS of_n
    FROM (SELECT *, {{periods "origin_at"}} AS period FROM {{.Database}}.v_corridor_stops)
) AS s
GROUP BY period, corridor, direction, unit_kind, origin, place
