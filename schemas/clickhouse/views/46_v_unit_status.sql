CREATE OR REPLACE VIEW {{.Database}}.v_unit_status
(
    unit String COMMENT 'train run, vessel voyage, wagon or container: one row each, of its latest journey',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    journey String COMMENT 'latest journey of the unit; of a train or vessel the run itself',
    status LowCardinality(String) COMMENT 'at_place: at place since; under_way: left last_place, not seen at another yet; ended: the run ended, or the wagon or container left its last place without a vehicle (delivered, gate out)',
    state LowCardinality(String) COMMENT 'state of what it is in: open; silent: beyond the interval of its tracker; lost: 14 days without evidence; closed: ended',
    place LowCardinality(String) COMMENT 'catalogue id of the place it is at; empty: under way, or ended',
    place_name String COMMENT 'name of the place it is at',
    country LowCardinality(String) COMMENT 'ISO country code of last_place',
    last_place LowCardinality(String) COMMENT 'catalogue id of the place it is at, or was last at',
    last_place_name String COMMENT 'its name',
    since Nullable({{time}}) COMMENT 'at_place: when it came; under_way: when it left last_place; ended: when; UTC',
    since_s Nullable(Int64) COMMENT 'v_now - since, seconds; NULL once ended',
    seen_at Nullable({{time}}) COMMENT 'time of the last fix or report of it or of the vehicle it is on, UTC',
    vehicle String COMMENT 'run or voyage it is on, or was put on to go on with; of trains and vessels the run itself; empty: on none, such as between two trains',
    vehicle_kind LowCardinality(String) COMMENT 'train or vessel; empty: on none',
    next_place LowCardinality(String) COMMENT 'catalogue id of the place the plan of vehicle names behind last_place; empty: no plan, or the plan ends or says nothing of last_place, or vehicle is none',
    next_place_name String COMMENT 'its name',
    next_arrival Nullable({{time}}) COMMENT 'planned arrival there by the latest plan, UTC; NULL: none',
    lat Nullable(Float64) COMMENT 'last position of vehicle, degrees north (WGS 84); NULL: it sends none, or vehicle is none',
    lon Nullable(Float64) COMMENT 'last position of vehicle, degrees east (WGS 84)'
)
COMMENT 'Where every unit is now: containers, wagons, trains and vessels, at which place or on the way from which, since when, on which train, and where that is planned to come next.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
{{gone_on}},
    runs AS (
        SELECT run, toString(state) AS state, toString(place) AS place, toString(last_place) AS last_place, {{known "since"}} AS since, {{known "seen_at"}} AS seen_at, unit_kind,
            if(has_position, lat_e7 / 1e7, NULL) AS lat, if(has_position, lon_e7 / 1e7, NULL) AS lon
        FROM {{from "train_status"}} FINAL
    ),
    -- The latest plan of each run: its stops in order.
    plans AS (
        SELECT subject AS run, argMax(arrayMap((p, a) -> (toString(p), {{known "a"}}), stop_place, stop_arrival), (time, recorded_at, hash)) AS stops
        FROM {{from "train_events"}} FINAL
        WHERE verb = 'planned' AND notEmpty(stop_place) AND NOT late
            AND (source, id) GLOBAL NOT IN (SELECT source, retracts_id FROM {{from "train_events"}} FINAL WHERE verb = 'retracted')
        GROUP BY subject
    ),
    loads AS (
        SELECT unit, unit_kind, argMax((
                journey, toString(place), toString(state), came, went, vehicle_in, toString(vehicle_kind), if(vehicle_out = '', transfer_second, vehicle_out),
                toUnixTimestamp64Milli(transfer_off_at) != 0), (coalesce(came, went), coalesce(went, came), journey, n, place)) AS v,
            max(greatest(ifNull(came, epoch), ifNull(went, epoch), transfer_off_at, transfer_on_at, arrayMax(activity_from), arrayMax(activity_to))) AS told_at
        FROM (
            SELECT *, toDateTime64(0, 3, 'UTC') AS epoch, coalesce({{known "arrived"}}, {{known "entered"}}) AS came, coalesce({{known "departed"}}, {{known "left"}}) AS went
            FROM {{from "visits"}} FINAL
            WHERE unit_kind IN ('wagon', 'container')
        )
        GROUP BY unit, unit_kind
    )
SELECT
    s.unit AS unit, s.unit_kind AS unit_kind, s.journey AS journey, s.status AS status, s.state AS state,
    if(s.status = 'at_place', s.last_place, '') AS place, {{place "place"}} AS place_name,
    dictGetOrDefault('{{.Database}}.places', 'country', tuple(s.last_place), '') AS country,
    s.last_place AS last_place, {{place "last_place"}} AS last_place_name, s.since AS since,
    if(s.status = 'ended', NULL, greatest(0, {{seconds "since" "stage_time"}})) AS since_s, s.seen_at AS seen_at,
    s.vehicle AS vehicle, s.vehicle_kind AS vehicle_kind,
    arrayFirstIndex(p -> p.1 = s.last_place, p.stops) AS here, if(here = 0 OR s.status = 'ended', ('', NULL), p.stops[here + 1]) AS next,
    next.1 AS next_place, {{place "next_place"}} AS next_place_name, next.2 AS next_arrival, s.lat AS lat, s.lon AS lon
FROM (
    SELECT o.run AS unit, toString(o.unit_kind) AS unit_kind, o.run AS journey,
        multiIf(g.run != '' AND o.state IN ('open', 'silent') AND g.gone_at >= o.seen_at, 'ended', o.state = 'closed', 'ended', o.place != '', 'at_place', 'under_way') AS status,
        if(status = 'ended', 'closed', o.state) AS state, if(o.place != '', o.place, o.last_place) AS last_place, if(status = 'ended' AND o.state != 'closed', g.gone_at, o.since) AS since, o.seen_at AS seen_at,
        o.run AS vehicle, toString(o.unit_kind) AS vehicle_kind, o.lat AS lat, o.lon AS lon
    FROM runs AS o
    GLOBAL ANY LEFT JOIN gone_on AS g ON g.run = o.run
    UNION ALL
    SELECT l.unit AS unit, toString(l.unit_kind) AS unit_kind, v.1 AS journey,
        multiIf(v.3 != 'closed', 'at_place', v.8 = '', 'ended', 'under_way') AS status,
        multiIf(status = 'at_place', v.3, status = 'ended', 'closed', r.state IN ('', 'closed'), 'open', r.state) AS state,
        v.2 AS last_place, if(status = 'at_place', v.4, coalesce(v.5, v.4)) AS since,
        greatest(told_at, if(vehicle = '', told_at, ifNull(r.seen_at, told_at))) AS seen_at,
        -- Of a train that has ended nothing is on board any more, whether or not somebody told that it was taken off.
        if(r.state = 'closed', '', l.on) AS vehicle, if(vehicle = '', '', toString(r.unit_kind)) AS vehicle_kind, if(vehicle = '', NULL, r.lat) AS lat, if(vehicle = '', NULL, r.lon) AS lon
    FROM (SELECT *, multiIf(v.8 != '', v.8, v.3 = 'closed' OR v.9, '', v.6) AS on FROM loads) AS l
    GLOBAL ANY LEFT JOIN runs AS r ON r.run = l.on
) AS s
GLOBAL ANY LEFT JOIN plans AS p ON p.run = s.vehicle
