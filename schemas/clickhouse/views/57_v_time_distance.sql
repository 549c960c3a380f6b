CREATE OR REPLACE VIEW {{.Database}}.v_time_distance
(
    {{period}}departure from origin',
    corridor LowCardinality(String) COMMENT 'corridor of the catalogue along which km are counted; journeys that several corridors hold equally well are in each: filter on one',
    corridor_name String COMMENT 'name of the corridor',
    direction LowCardinality(String) COMMENT 'up: with the order of places of the corridor, down: against it; of a border it is from_country-to_country instead',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    origin LowCardinality(String) COMMENT 'catalogue id of the place the journeys begin at: one profile has one origin and one destination',
    origin_name String COMMENT 'its name',
    destination LowCardinality(String) COMMENT 'catalogue id of the last place the journeys were at: where they end, or are by now',
    destination_name String COMMENT 'its name',
    place LowCardinality(String) COMMENT 'catalogue id of the place',
    place_name String COMMENT 'name of the place',
    km Float64 COMMENT 'x: distance from origin by the catalogue, km',
    n UInt64 COMMENT 'journeys: all that came from origin to destination, the same at every place of the profile',
    seen_n UInt64 COMMENT 'of n: seen at this place; of the others its time lies between those of the places they were seen at before and behind it, in proportion to km',
    coverage Nullable(Float64) COMMENT 'seen_n / n, from 0 to 1; NULL: n below {{minimum}}',
{{hours "arrived_" "y at arrival: time since departure from origin"}}
    departed_n UInt64 COMMENT 'of n: those that have gone on: all but at the destination',
{{hours "departed_" "y at departure: time since departure from origin"}}
    stop_mean_h Nullable(Float64) COMMENT 'vertical step: mean of departure - arrival of those that have gone on, hours; 0 where all pass'
)
COMMENT 'UNESCAP time/cost-distance profile: plot km (x) against cumulative hours (y), for each place first arrived_ and then departed_; legs are slopes, stops and border crossings vertical steps. Filter on period, corridor, direction, unit_kind, origin and destination, ORDER BY km. A profile is of journeys between the same ends, so that it rises; percentiles are of the times at a place, so a line of p95 is not one journey, and NULL where n (or departed_n) is below {{minimum}}. Containers each count by themselves.'
AS WITH
{{template "corridor lines" .}},
{{template "lines"}},
    -- What the journeys between two ends have in common: km and id of each place that one of them was seen at.
    profiles AS (
        SELECT *,
            arraySort(groupUniqArrayArray(arrayMap(s -> (s.3, s.1), stops)) OVER (PARTITION BY corridor, direction, unit_kind, origin, destination)) AS places,
            arrayMap(s -> s.3, stops) AS kms,
            arrayMap((s, i) -> if(i = 1, 0, assumeNotNull({{seconds "origin_at" "s.4"}})), stops, arrayEnumerate(stops)) AS came,
            arrayMap((s, c, i) -> multiIf(i = 1, 0, isNotNull(s.5), {{seconds "origin_at" "s.5"}}, i < length(stops), c, NULL), stops, came, arrayEnumerate(stops)) AS went
        FROM lines
    ),
    told AS (
        SELECT *,
            -- The stop at each place, or the first behind it.
            arrayMap(p -> arrayFirstIndex(k -> k >= p.1, kms), places) AS at,
            arrayMap((p, i) -> kms[i] = p.1, places, at) AS seen,
            arrayMap((p, i, here) -> if(here, came[i], assumeNotNull(went[i - 1]) + intDiv(
                (came[i] - assumeNotNull(went[i - 1])) * toInt64(round((p.1 - kms[i - 1]) * 1000)), toInt64(round((kms[i] - kms[i - 1]) * 1000)))), places, at, seen) AS arrived,
            arrayMap((i, here, a) -> if(here, went[i], a), at, seen, arrived) AS departed
        FROM profiles
    ),
    sums AS (
        SELECT
            {{periods "origin_at"}} AS period, corridor, any(t.corridor_name) AS corridor_name, direction, unit_kind, origin, destination, any(t.places) AS places,
            count() AS n, sumForEach(seen) AS seen_n, countForEach(departed) AS departed_n,
            avgForEach(arrived) AS a_mean, quantileExactInclusiveForEach(0.5)(arrived) AS a_median, quantileExactInclusiveForEach(0.95)(arrived) AS a_p95,
            avgForEach(departed) AS d_mean, quantileExactInclusiveForEach(0.5)(departed) AS d_median, quantileExactInclusiveForEach(0.95)(departed) AS d_p95,
            avgForEach(arrayMap((a, d) -> d - a, arrived, departed)) AS stop_mean
        FROM told AS t
        GROUP BY period, corridor, direction, unit_kind, origin, destination
    )
SELECT
    period, corridor, corridor_name, direction, unit_kind, origin, {{place "origin"}} AS origin_name, destination, {{place "destination"}} AS destination_name,
    places[i].2 AS place, {{place "place"}} AS place_name, round(places[i].1, 3) AS km,
    s.n AS n, s.seen_n[i] AS seen_n, {{enough "n" "round(seen_n / n, 4)"}} AS coverage,
    {{in_hours "a_mean[i]"}} AS arrived_mean_h, {{enough "n" (in_hours "a_median[i]")}} AS arrived_median_h, {{enough "n" (in_hours "a_p95[i]")}} AS arrived_p95_h,
    s.departed_n[i] AS departed_n, if(departed_n = 0, NULL, {{in_hours "d_mean[i]"}}) AS departed_mean_h,
    {{enough "departed_n" (in_hours "d_median[i]")}} AS departed_median_h, {{enough "departed_n" (in_hours "d_p95[i]")}} AS departed_p95_h,
    if(departed_n = 0, NULL, {{in_hours "stop_mean[i]"}}) AS stop_mean_h
FROM sums AS s
ARRAY JOIN arrayEnumerate(places) AS i
WHERE s.seen_n[i] > 0
