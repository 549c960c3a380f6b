CREATE OR REPLACE VIEW {{.Database}}.v_corridor_transit
(
    {{period}}arrival',
    from_place LowCardinality(String) COMMENT 'catalogue id of the end the journeys leave: a hub, a port, a gauge break, a border station or an end of a corridor',
    from_name String COMMENT 'its name',
    to_place LowCardinality(String) COMMENT 'catalogue id of the end they reach',
    to_name String COMMENT 'its name',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    corridors Array(String) COMMENT 'corridors that lead this way between the two ends and hold journeys that took it, whichever of them these were on; where they run on one line they are one row',
    via Array(String) COMMENT 'catalogue ids of the places of the way between the two ends, in order',
    planned Bool COMMENT 'all those corridors are still planned: the journeys are simulated',
    km Float64 COMMENT 'length of the way by the catalogue, km',
    n UInt64 COMMENT 'journeys that left the one end and reached the other; containers each count by themselves',
{{hours "" "transit: departure from from_place to arrival at to_place, stops and border crossings between them included"}}
    kmh Nullable(Float64) COMMENT 'km / mean_h, km/h',
    ways UInt64 COMMENT 'ways between these two ends that have journeys: 1: nothing to compare',
    behind_best_h Nullable(Float64) COMMENT 'mean_h less that of the fastest way between the same ends, hours; 0: it is the fastest'
)
COMMENT 'Transit time by way, for journeys between the same two ends: filter on from_place, to_place, period and unit_kind, and compare the rows. ways > 1 finds ends between which there is a choice.'
AS WITH
    ends AS (
        SELECT id FROM {{.Database}}.catalogue_places WHERE hasAny(kinds, ['hub', 'seaport', 'ferry_port', 'dry_port', 'gauge_break', 'border_station', 'border_point'])
        UNION DISTINCT
        SELECT arrayJoin([places[1], places[-1]]) FROM {{.Database}}.catalogue_corridors
    ),
{{template "corridor lines" .}},
    -- Of each way the ends it joins, and how: the places between them, and the corridors that lead so. They bear a number, so that journeys
    -- need not carry the names.
    pairs AS (
        SELECT
            way, a.1 AS from_place, b.1 AS to_place, a.5 AS from_at, b.4 AS to_at,
            if(a.2 < b.2, arraySlice(places, a.2 + 1, b.2 - a.2 - 1), arrayReverse(arraySlice(places, b.2 + 1, a.2 - b.2 - 1))) AS via,
            sipHash64(from_place, to_place, via) AS number, corridor, status = 'planned' AS planned, b.3 - a.3 AS km
        FROM (SELECT *, arrayJoin(stops) AS b FROM (SELECT *, arrayJoin(stops) AS a FROM ways))
        WHERE a.3 < b.3 AND from_place IN (SELECT id FROM ends) AND to_place IN (SELECT id FROM ends)
    ),
    times AS (
        SELECT unit_kind, p.1 AS number, assumeNotNull(went[p.2]) AS left_at, came[p.3] AS at, assumeNotNull({{seconds "left_at" "at"}}) AS s
        FROM (
            SELECT j.unit_kind AS unit_kind, j.came AS came, j.went AS went, arrayJoin(w.pairs) AS p
            FROM journeys AS j
            GLOBAL INNER JOIN (SELECT way, groupUniqArray((number, from_at, to_at)) AS pairs FROM pairs GROUP BY way) AS w ON w.way = j.way
        )
        WHERE went[p.2] <= came[p.3]
    )
SELECT
    t.period AS period, d.from_place AS from_place, {{place "from_place"}} AS from_name, d.to_place AS to_place, {{place "to_place"}} AS to_name, t.unit_kind AS unit_kind,
    d.corridors AS corridors, d.via AS via, toBool(d.planned) AS planned, round(d.km, 3) AS km, t.n AS n, t.mean AS mean_h, t.median AS median_h, t.p95 AS p95_h,
    round(km / nullIf(mean_h, 0), 4) AS kmh,
    count() OVER (PARTITION BY t.period, d.from_place, d.to_place, t.unit_kind) AS ways,
    round(mean_h - min(mean_h) OVER (PARTITION BY t.period, d.from_place, d.to_place, t.unit_kind), 4) AS behind_best_h
FROM (
    SELECT {{periods "at"}} AS period, unit_kind, number, count() AS n, {{in_hours "avg(s)"}} AS mean,
        {{enough "n" (in_hours (quantile "0.5" "s" "true"))}} AS median, {{enough "n" (in_hours (quantile "0.95" "s" "true"))}} AS p95
    FROM times
    GROUP BY period, unit_kind, number
) AS t
GLOBAL INNER JOIN (
    SELECT number, any(from_place) AS from_place, any(to_place) AS to_place, any(via) AS via, arraySort(groupUniqArray(corridor)) AS corridors, min(planned) AS planned, any(km) AS km
    FROM pairs GROUP BY number
) AS d ON d.number = t.number
