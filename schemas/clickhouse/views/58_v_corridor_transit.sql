CREATE OR REPLACE VIEW {{.Database}}.v_corridor_transit
(
    {{period}}arrival',
    from_place LowCardinality(String) COMMENT 'catalogue id of the end the journeys leave: a hub, a port, a gauge break, a border station or an end of a corridor',
    from_name String COMMENT 'its name',
    to_place LowCardinality(String) COMMENT 'catalogue id of the end they reach',
    to_name String COMMENT 'its name',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    corridors Array(String) COMMENT 'corridors that lead this way between the two ends; where they run on one line they are one row',
    via Array(String) COMMENT 'catalogue ids of the places of the way between the two ends, in order',
    planned Bool COMMENT 'all those corridors are still planned: the journeys are simulated',
    km Float64 COMMENT 'length of the way by the catalogue, km',
    n UInt64 COMMENT 'journeys that left the one end and reached the other',
{{hours "" "transit: departure from from_place to arrival at to_place, stops and border crossings between them included"}}
    kmh Nullable(Float64) COMMENT 'km / mean_h, km/h',
    ways UInt64 COMMENT 'ways between these two ends that have journeys: 1: nothing to compare',
    behind_best_h Nullable(Float64) COMMENT 'mean_h less that of the fastest way between the same ends, hours; 0: it is the fastest'
)
COMMENT 'Transit time by corridor, for journeys between the same two ends: filter on from_place, to_place, period and unit_kind, and compare the rows. ways > 1 finds ends between which there is a choice.'
AS WITH
    ends AS (
        SELECT id FROM {{.Database}}.catalogue_places WHERE hasAny(kinds, ['hub', 'seaport', 'ferry_port', 'dry_port', 'gauge_break', 'border_station', 'border_point'])
        UNION DISTINCT
        SELECT arrayJoin([places[1], places[-1]]) FROM {{.Database}}.catalogue_corridors
    ),
    journeys AS (
        SELECT unit_kind, unit, journey, toString(corridor) AS corridor, groupArray((toString(place), position, km, arrived, departed)) AS stops
        FROM {{.Database}}.v_corridor_stops
        WHERE toString(place) GLOBAL IN (SELECT id FROM ends)
        GROUP BY unit_kind, unit, journey, corridor
    )
SELECT
    {{periods "at"}} AS period, from_place, {{place "from_place"}} AS from_name, to_place, {{place "to_place"}} AS to_name, unit_kind,
    arraySort(groupUniqArrayArray(w.corridors)) AS corridors, via,
    toBool(min(w.planned)) AS planned,
    round(any(w.km), 3) AS km, count() AS n, {{in_hours "avg(s)"}} AS mean_h,
    {{enough "n" (in_hours (quantile "0.5" "s" "true"))}} AS median_h, {{enough "n" (in_hours (quantile "0.95" "s" "true"))}} AS p95_h,
    round(km / nullIf(mean_h, 0), 4) AS kmh,
    count() OVER (PARTITION BY period, from_place, to_place, unit_kind) AS ways,
    round(mean_h - min(mean_h) OVER (PARTITION BY period, from_place, to_place, unit_kind), 4) AS behind_best_h
FROM (
    SELECT unit_kind, unit, journey, from_place, to_place, via, groupUniqArray(corridor) AS corridors, min(c_planned) AS planned, any(km) AS km, any(s) AS s, any(at) AS at
    FROM (
        SELECT
            unit_kind, unit, journey, corridor, a.1 AS from_place, b.1 AS to_place,
            if(a.2 < b.2, arraySlice(places, a.2 + 1, b.2 - a.2 - 1), arrayReverse(arraySlice(places, b.2 + 1, a.2 - b.2 - 1))) AS via,
            status = 'planned' AS c_planned, b.3 - a.3 AS km, assumeNotNull({{seconds "a.5" "b.4"}}) AS s, assumeNotNull(b.4) AS at
        FROM (SELECT *, arrayJoin(stops) AS b FROM (SELECT *, arrayJoin(stops) AS a FROM journeys)) AS j
        INNER JOIN (SELECT id, places, status FROM {{.Database}}.catalogue_corridors) AS c ON c.id = j.corridor
        WHERE a.2 != b.2 AND a.5 <= b.4
    )
    GROUP BY unit_kind, unit, journey, from_place, to_place, via
) AS w
GROUP BY period, from_place, to_place, unit_kind, via
