CREATE OR REPLACE VIEW {{.Database}}.v_visits
(
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    place LowCardinality(String) COMMENT 'catalogue id of the place',
    place_name String COMMENT 'name of the place',
    country LowCardinality(String) COMMENT 'ISO country code of the place',
    n UInt32 COMMENT 'an ordinal: first, second ... visit of this journey to this place, from 1',
{{columns "entered" "into the fence of the place"}}
{{columns "arrived" "came to a stand, or was reported to arrive; NULL on a pass, whose time is in entered and left; where origin: when it was first heard of, basis inferred, since nobody saw it arrive"}}
{{columns "departed" "left its stand, or was reported to depart"}}
{{columns "left" "out of the fence of the place"}}
    stopped Bool COMMENT 'true: it stood here; false: it passed',
    state LowCardinality(String) COMMENT 'open: still here; silent: still here as far as known, tracker beyond its interval; lost: 14 days without evidence; closed',
    dwell_s Nullable(Int64) COMMENT 'departed - arrived, seconds; a lower bound where arrived is inferred, as where a run begins; 0 on a pass, so count dwells WHERE stopped; NULL while open',
    zone_s Nullable(Int64) COMMENT 'left - entered, seconds; NULL if one is not known',
    running_s Nullable(Int64) COMMENT 'while open or silent: v_now - arrived (or entered), seconds; else NULL',
    vehicle_in String COMMENT 'run or voyage that brought the unit; empty for runs themselves',
    vehicle_out String COMMENT 'run or voyage that took it on; empty for runs themselves',
    vehicle_kind LowCardinality(String) COMMENT 'train or vessel',
    activities Array(Tuple(kind String, cause String, party String, `from` {{time}}, `to` Nullable({{time}}), source String, bound_for String)) COMMENT 'what was done here, with cause and who did it; to is NULL while it goes on',
    explained_s Nullable(Int64) COMMENT 'part of dwell_s covered by at least one activity, seconds',
    unexplained_s Nullable(Int64) COMMENT 'dwell_s - explained_s, seconds',
    planned_arrival Nullable({{time}}) COMMENT 'by the latest plan, UTC',
    planned_departure Nullable({{time}}) COMMENT 'by the latest plan, UTC',
    arrival_delay_s Nullable(Int64) COMMENT 'arrived - planned_arrival, seconds; negative: early; NULL: no plan, or nobody saw it arrive (origin)',
    departure_delay_s Nullable(Int64) COMMENT 'departed - planned_departure, seconds; negative: early',
    direction_by LowCardinality(String) COMMENT 'corridor whose order of places gives the direction: the first of the catalogue that holds the most of its way, so not the way it took, which is v_legs.corridor; empty: the order does not tell',
    direction LowCardinality(String) COMMENT 'up: with the order of places of direction_by; down: against it; empty: not known. Not the from_country-to_country that direction is at borders',
    line_standing_s Int64 COMMENT 'stood outside of any place since the previous visit, seconds',
    handover_offered_at Nullable({{time}}) COMMENT 'first hand-over to the neighbouring railway offered here, UTC',
    handover_accepted_at Nullable({{time}}) COMMENT 'acceptance that held: not refused or returned after it, UTC',
    handover_s Nullable(Int64) COMMENT 'first offer to the acceptance that held, seconds; negative by clocks that oppose',
    refused UInt32 COMMENT 'hand-overs refused or returned',
    refused_at Nullable({{time}}) COMMENT 'the last of them, UTC',
    offered_again_at Nullable({{time}}) COMMENT 'first hand-over offered after that, UTC',
    origin Bool COMMENT 'the run begins here: nobody saw it arrive. Of trains and vessels only, as terminus',
    terminus Bool COMMENT 'the run ended here',
    overlap_s Int64 COMMENT 'seconds by which the reported departure lies after the next visit began, by clocks that oppose; both times stay as told',
    otherwise Array(Tuple(what String, at {{time}}, source String)) COMMENT 'reports of this visit that do not count (what: arrived or departed), since a source that is trusted more, or a later one, says something else',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'Stops and passes of every unit at the places of the catalogue. A container or wagon stays while it changes trains: its stay is one visit. Where a unit is now: v_unit_status.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
    -- Intervals of the activities, cut to the stand, in milliseconds.
    toUnixTimestamp64Milli(t.arrived) AS stand_from,
    toUnixTimestamp64Milli(t.departed) AS stand_to,
    arrayMap((f, e) -> (greatest(toUnixTimestamp64Milli(f), stand_from), least(if(toUnixTimestamp64Milli(e) = 0, stand_to, toUnixTimestamp64Milli(e)), stand_to)),
        t.activity_from, t.activity_to) AS cut,
    arrayFilter(i -> i.1 < i.2, cut) AS spans
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.place AS place, {{place "t.place"}} AS place_name,
    dictGetOrDefault('{{.Database}}.places', 'country', tuple(toString(t.place)), '') AS country,
    t.n AS n,
{{moments "" "entered"}}
    {{known "t.arrived"}} AS arrived, {{known "t.arrived_earliest"}} AS arrived_earliest, {{known "t.arrived_latest"}} AS arrived_latest,
    if(t.origin AND isNotNull(arrived) AND t.arrived_basis IN ('position', 'interpolated'), 'inferred', toString(t.arrived_basis)) AS arrived_basis,
{{moments "" "departed" "left"}}
    t.stopped AS stopped, t.state AS state,
    if(t.stopped, {{seconds "arrived" "departed"}}, 0) AS dwell_s,
    {{seconds "entered" "left"}} AS zone_s,
    if(t.state IN ('open', 'silent'), greatest(0, {{seconds "coalesce(arrived, entered)" "stage_time"}}), NULL) AS running_s,
    t.vehicle_in AS vehicle_in, t.vehicle_out AS vehicle_out, t.vehicle_kind AS vehicle_kind,
    arrayMap((k, c, p, f, e, s, b) -> (toString(k), toString(c), toString(p), f, {{known "e"}}, toString(s), toString(b)),
        t.activity_kind, t.activity_cause, t.activity_party, t.activity_from, t.activity_to, t.activity_source, t.activity_bound_for) AS activities,
    multiIf(isNull(dwell_s), NULL, NOT t.stopped, 0, intDiv(toInt64(arrayReduce('intervalLengthSum', arrayMap(i -> i.1, spans), arrayMap(i -> i.2, spans))), 1000)) AS explained_s,
    dwell_s - explained_s AS unexplained_s,
    {{known "t.planned_arrival"}} AS planned_arrival, {{known "t.planned_departure"}} AS planned_departure,
    if(t.origin, NULL, {{seconds "planned_arrival" "arrived"}}) AS arrival_delay_s, {{seconds "planned_departure" "departed"}} AS departure_delay_s,
    splitByChar(':', toString(t.direction))[1] AS direction_by, splitByChar(':', toString(t.direction))[2] AS direction,
    t.line_standing_s AS line_standing_s,
    {{known "t.offered_at"}} AS handover_offered_at, {{known "t.accepted_at"}} AS handover_accepted_at,
    {{seconds "handover_offered_at" "handover_accepted_at"}} AS handover_s,
    t.refused AS refused, {{known "t.refused_at"}} AS refused_at, {{known "t.offered_again_at"}} AS offered_again_at, t.origin AS origin, t.terminus AS terminus, t.overlap_s AS overlap_s,
    arrayMap((w, a, s) -> (toString(w), a, toString(s)), t.otherwise_what, t.otherwise_at, t.otherwise_source) AS otherwise, t.known_at AS known_at
FROM {{from "visits"}} AS t FINAL
