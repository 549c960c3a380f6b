CREATE OR REPLACE VIEW {{.Database}}.v_train_status
(
    run String COMMENT 'train run or vessel voyage',
    unit_kind LowCardinality(String) COMMENT 'train or vessel',
    state LowCardinality(String) COMMENT 'open; silent: tracker beyond its interval, or its last position is only repeated (same_since); lost: 14 days without evidence; closed: ended, or everything it carried goes on with another run (goes_on_as)',
    goes_on_as String COMMENT 'run that what it carried went on with (of several that which took the most), where nobody told that this one ended and nothing was heard of it since, nor in the last hour; else empty: what was told is continued_by of v_events',
    seen_at Nullable({{time}}) COMMENT 'time of the last fix or report, UTC; a late one does not move it back, a repeated one (same_since) not on',
    unseen_s Nullable(Int64) COMMENT 'v_now - seen_at, seconds',
    lat Nullable(Float64) COMMENT 'last position, degrees north (WGS 84)',
    lon Nullable(Float64) COMMENT 'last position, degrees east (WGS 84)',
    speed_kmh Float64 COMMENT 'last known speed, km/h',
    place LowCardinality(String) COMMENT 'catalogue id of the place it is at; empty: on the line',
    place_name String COMMENT 'name of the place it is at',
    last_place LowCardinality(String) COMMENT 'catalogue id of the place last visited or passed',
    last_place_name String COMMENT 'name of the place last visited or passed',
    since Nullable({{time}}) COMMENT 'when it came to the place, or left the last one, UTC',
    running_s Nullable(Int64) COMMENT 'v_now - since, seconds; NULL once closed',
    standing Bool COMMENT 'it stands: by its positions, or by a report that it arrived which no position or departure contradicts; false once closed',
    destination LowCardinality(String) COMMENT 'catalogue id of the destination, as planned',
    corridor LowCardinality(String) COMMENT '{{journey_corridor}}',
    direction_by LowCardinality(String) COMMENT 'corridor whose order of places gives the direction: the first of the catalogue that holds the most of its way, though others may; empty: the order does not tell',
    direction LowCardinality(String) COMMENT 'up: with the order of places of direction_by; down: against it; empty: not known',
    wagons UInt32 COMMENT 'wagons on it now; 0 once closed',
    containers UInt32 COMMENT 'containers on it now; 0 once closed: what it carried is in v_legs and v_train_links',
    late_events UInt64 COMMENT 'events stored but beyond the lateness: not counted, they await a recompute',
    source LowCardinality(String) COMMENT 'source of the last evidence',
    same_since Nullable({{time}}) COMMENT 'the same position to the last digit has been sent with new times since then, for more than a day: somebody repeats what a tracker last knew, which is evidence for a day only; NULL: it is not so',
    overfull Bool COMMENT 'more is told of it than a run can have (1,000 visits by position, 2,000 reports): what is later is left out; look at its tracker or its source',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'The last that is known of each train run and vessel voyage. Wagons and containers, and where each is bound for next: v_unit_status.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
{{gone_on}}
SELECT
    t.run AS run, t.unit_kind AS unit_kind,
    if(g.run != '' AND t.state IN ('open', 'silent') AND g.gone_at >= seen_at, g.goes_on_as, '') AS goes_on_as, if(goes_on_as != '', 'closed', toString(t.state)) AS state, {{known "t.seen_at"}} AS seen_at,
    greatest(0, {{seconds "seen_at" "stage_time"}}) AS unseen_s,
    if(t.has_position, t.lat_e7 / 1e7, NULL) AS lat, if(t.has_position, t.lon_e7 / 1e7, NULL) AS lon, t.speed_kmh AS speed_kmh,
    t.place AS place, {{place "t.place"}} AS place_name, t.last_place AS last_place, {{place "t.last_place"}} AS last_place_name,
    {{known "t.since"}} AS since, if(state = 'closed', NULL, greatest(0, {{seconds "since" "stage_time"}})) AS running_s,
    state != 'closed' AND (t.standing OR NOT t.has_position AND (t.run, t.place) GLOBAL IN (
        SELECT unit, place FROM {{from "visits"}} FINAL WHERE state IN ('open', 'silent') AND stopped AND toUnixTimestamp64Milli(departed) = 0 AND unit_kind IN ('train', 'vessel'))) AS standing,
    t.destination AS destination, way.corridor AS corridor, t.corridor AS direction_by,
    arrayElement(splitByChar(':', toString(t.direction)), -1) AS direction,
    if(state = 'closed', 0, t.wagons) AS wagons, if(state = 'closed', 0, t.containers) AS containers, late.n AS late_events, t.source AS source, {{known "t.same_since"}} AS same_since, t.overfull AS overfull, t.known_at AS known_at
FROM {{from "train_status"}} AS t FINAL
GLOBAL ANY LEFT JOIN (
    -- FINAL reads no more than the runs that have any.
    SELECT subject, count() AS n FROM {{from "train_events"}} FINAL
    WHERE subject GLOBAL IN (SELECT subject FROM {{from "train_events"}} WHERE late) AND late AND verb != 'cost' GROUP BY subject
) AS late ON late.subject = t.run
GLOBAL ANY LEFT JOIN (
    SELECT unit, any(corridor) AS corridor FROM {{from "legs"}} FINAL WHERE unit_kind IN ('train', 'vessel') AND corridor_basis != 'ambiguous' GROUP BY unit
) AS way ON way.unit = t.run
GLOBAL ANY LEFT JOIN gone_on AS g ON g.run = t.run
