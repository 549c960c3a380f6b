CREATE OR REPLACE VIEW {{.Database}}.v_journey
(
    unit String COMMENT 'train run, vessel voyage, wagon or container: ask for one, ORDER BY from_time, level, to_time',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    from_time Nullable({{time}}) COMMENT 'when it began, UTC: of a stop the arrival, of a leg the departure, of a crossing or side the entry',
    to_time Nullable({{time}}) COMMENT 'when it ended, UTC: of a stop the departure, of a leg the arrival, of a crossing or side the exit; NULL: still going on, or not known',
    level UInt8 COMMENT '1: crossings, 2: their sides, 3: stops and legs, which tile the journey, and passes, which lie over the two legs that meet in their middle, 4: what was done at a stop. Rows of one level do not lie in one another; add up seconds of level 3 only',
    step LowCardinality(String) COMMENT 'crossing, side, stop, pass, leg or activity',
    what String COMMENT 'border, place, or from - to, by name; of an activity its code, such as customs, held or waiting_wagons',
    id String COMMENT 'catalogue id of the border, the place, the place a leg leads to, or the place an activity was at',
    role LowCardinality(String) COMMENT 'of a side: outbound (the country that is left) or inbound; else empty',
    country LowCardinality(String) COMMENT 'ISO country code of the side or place; of a leg that of the place it leaves; of a crossing from-to',
    seconds Nullable(Int64) COMMENT 'how long, seconds: dwell of a stop, time under way of a leg (without the stop before), total of a crossing; while it goes on so far; 0 on a pass; NULL: not known',
    km Nullable(Float64) COMMENT 'length of a leg by the catalogue, km',
    vehicle_in String COMMENT 'run or voyage that brought the unit; of a leg empty',
    vehicle String COMMENT 'run or voyage that took it on from a stop or crossing, or carried it on a leg',
    cause LowCardinality(String) COMMENT 'of an activity: code of the cause; empty: none was given',
    party LowCardinality(String) COMMENT 'of an activity: who does it or causes it',
    planned_from Nullable({{time}}) COMMENT 'planned from_time by the latest plan, UTC; NULL: no plan',
    planned_to Nullable({{time}}) COMMENT 'planned to_time by the latest plan, UTC; NULL: no plan',
    delay_from_s Nullable(Int64) COMMENT 'from_time - planned_from, seconds; negative: early; NULL: no plan',
    delay_to_s Nullable(Int64) COMMENT 'to_time - planned_to, seconds; negative: early; NULL: no plan, or going on',
    norm_s Nullable(Int64) COMMENT 'of a crossing or side: norm of the catalogue, seconds; NULL: none',
    basis LowCardinality(String) COMMENT 'what from_time and to_time rest on: position, report, interpolated, inferred; two, if they differ; of a crossing that of its total',
    state LowCardinality(String) COMMENT 'open, silent, lost or closed',
    detail String COMMENT 'what else is worth knowing, in words'
)
COMMENT 'Everything one unit went through, in order: stops, legs, border crossings with their sides, and what was done where, planned and actual.'
AS WITH
    visits AS (
        SELECT *,
            coalesce(arrived, entered, departed, left) AS came, coalesce(if(stopped, departed, NULL), left) AS went,
            toString(if(isNotNull(arrived), arrived_basis, if(isNotNull(entered), entered_basis, 'none'))) AS came_basis,
            toString(if(stopped AND isNotNull(departed), departed_basis, if(isNotNull(left), left_basis, 'none'))) AS went_basis
        FROM {{.Database}}.v_visits
    ),
    -- A leg is planned as the stops at its ends are.
    ends AS (SELECT unit, journey, place, came, went, planned_arrival, planned_departure FROM visits)
SELECT * FROM (
SELECT
    unit, unit_kind, journey, coalesce(outbound_entered, inbound_entered) AS from_time, inbound_left AS to_time,
    1 AS level, 'crossing' AS step, border_name AS what, toString(border) AS id, '' AS role, toString(direction) AS country,
    coalesce(total_s, running_s) AS seconds, CAST(NULL AS Nullable(Float64)) AS km, vehicle_in, vehicle_out AS vehicle, '' AS cause, '' AS party,
    CAST(NULL AS Nullable({{time}})) AS planned_from, CAST(NULL AS Nullable({{time}})) AS planned_to,
    CAST(NULL AS Nullable(Int64)) AS delay_from_s, CAST(NULL AS Nullable(Int64)) AS delay_to_s, norm_s, toString(total_basis) AS basis, state,
    arrayStringConcat(arrayFilter(t -> t != '', [
        if(candidate, 'not confirmed', ''),
        if(isNull(delay_norm_s), '', concat(toString(delay_norm_s), ' s against the norm')),
        if(isNull(delay_plan_s), '', concat(toString(delay_plan_s), ' s against the plan')),
        if(gauge_break = '', '', concat('gauge break, ', toString(gauge_change_s), ' s of gauge change')),
        if(customs_s = 0, '', concat(toString(customs_s), ' s of customs')),
        if(isNull(handover_s), '', concat('offered to accepted ', toString(handover_s), ' s')),
        if(refused = 0, '', concat('refused ', toString(refused))),
        if(approach_s = 0, '', concat('held upstream ', toString(approach_s), ' s'))]), ', ') AS detail
FROM {{.Database}}.v_crossings
UNION ALL
SELECT
    unit, unit_kind, journey, coalesce(entered, arrived) AS from_time, coalesce(left, departed) AS to_time,
    2 AS level, 'side' AS step, arrayStringConcat(arrayMap(p -> {{place "p"}}, s.places), ', ') AS what, toString(border) AS id, toString(role) AS role, toString(s.country) AS country,
    coalesce(side_s, running_s) AS seconds, NULL AS km, '' AS vehicle_in, '' AS vehicle, '' AS cause, '' AS party,
    NULL AS planned_from, NULL AS planned_to, NULL AS delay_from_s, NULL AS delay_to_s, norm_s,
    arrayStringConcat(arrayDistinct(arrayFilter(t -> t != 'none', [toString(if(isNotNull(entered), entered_basis, arrived_basis)), toString(if(isNotNull(left), left_basis, departed_basis))])), ', ') AS basis,
    state,
    arrayStringConcat(arrayFilter(t -> t != '', [
        if(empty(s.places), 'not seen', ''),
        if(customs_s = 0, '', concat('customs ', toString(customs_s), ' s')),
        if(gauge_change_s = 0, '', concat('gauge change ', toString(gauge_change_s), ' s')),
        if(other_s = 0, '', concat('other ', toString(other_s), ' s')),
        if(unexplained_s = 0, '', concat('unexplained ', toString(unexplained_s), ' s')),
        if(isNull(delay_norm_s), '', concat(toString(delay_norm_s), ' s against the norm')),
        if(isNull(delay_plan_s), '', concat(toString(delay_plan_s), ' s against the plan'))]), ', ') AS detail
FROM {{.Database}}.v_crossing_sides AS s
UNION ALL
SELECT
    unit, unit_kind, journey, came AS from_time, went AS to_time,
    3 AS level, if(stopped, 'stop', 'pass') AS step, place_name AS what, toString(place) AS id, '' AS role, toString(v.country) AS country,
    coalesce(dwell_s, running_s) AS seconds, NULL AS km, v.vehicle_in AS vehicle_in, vehicle_out AS vehicle, '' AS cause, '' AS party,
    planned_arrival AS planned_from, planned_departure AS planned_to, arrival_delay_s AS delay_from_s, departure_delay_s AS delay_to_s, NULL AS norm_s,
    arrayStringConcat(arrayDistinct(arrayFilter(t -> t != 'none', [came_basis, went_basis])), ', ') AS basis, state,
    arrayStringConcat(arrayFilter(t -> t != '', [
        arrayStringConcat(arrayMap(a -> a.kind, activities), ', '),
        if(isNull(unexplained_s) OR empty(activities), '', concat('unexplained ', toString(unexplained_s), ' s')),
        if(isNull(handover_s), '', concat('offered to accepted ', toString(handover_s), ' s')),
        if(refused = 0, '', concat('refused ', toString(refused))),
        if(line_standing_s = 0, '', concat('stood on the line before ', toString(line_standing_s), ' s'))]), ', ') AS detail
FROM visits AS v
UNION ALL
SELECT
    l.unit AS unit, l.unit_kind AS unit_kind, l.journey AS journey, coalesce(departed_at, started_at) AS from_time, arrived_at AS to_time,
    3 AS level, 'leg' AS step, concat(from_name, ' - ', to_name) AS what, toString(to_place) AS id, '' AS role, toString(from_country) AS country,
    {{seconds "from_time" "to_time"}} AS seconds, l.km AS km, '' AS vehicle_in, l.vehicle AS vehicle, '' AS cause, '' AS party,
    a.planned_departure AS planned_from, b.planned_arrival AS planned_to,
    {{seconds "a.planned_departure" "departed_at"}} AS delay_from_s, {{seconds "b.planned_arrival" "arrived_at"}} AS delay_to_s, NULL AS norm_s, '' AS basis, state,
    arrayStringConcat(arrayFilter(t -> t != '', [
        if(mode = '', '', concat('by ', toString(mode))),
        if(isNull(swod_kmh), '', concat(toString(round(swod_kmh, 1)), ' km/h moving')),
        if(isNull(swd_kmh), '', concat(toString(round(swd_kmh, 1)), ' km/h with the stop before')),
        if(corridor = '', '', concat('on ', corridor_name)),
        if(skipped = 0, '', concat(toString(skipped), ' places on the way not seen')),
        if(border = '', '', concat('over the border ', toString(border)))]), ', ') AS detail
FROM {{.Database}}.v_legs AS l
GLOBAL LEFT JOIN ends AS a ON a.unit = l.unit AND a.journey = l.journey AND a.place = l.from_place AND a.went = l.departed_at
GLOBAL LEFT JOIN ends AS b ON b.unit = l.unit AND b.journey = l.journey AND b.place = l.to_place AND b.came = l.arrived_at
UNION ALL
SELECT
    unit, unit_kind, journey, coalesce(act.`from`, act.to) AS from_time, act.to AS to_time,
    4 AS level, 'activity' AS step, act.kind AS what, toString(place) AS id, '' AS role, toString(v.country) AS country,
    {{seconds "act.from" "coalesce(act.to, stage_time.now)"}} AS seconds, NULL AS km, '' AS vehicle_in, '' AS vehicle, act.cause AS cause, act.party AS party,
    NULL AS planned_from, NULL AS planned_to, NULL AS delay_from_s, NULL AS delay_to_s, NULL AS norm_s, 'report' AS basis, if(isNull(act.to), 'open', 'closed') AS state,
    if(act.bound_for = '', '', concat('bound for ', act.bound_for)) AS detail
FROM (SELECT *, arrayJoin(activities) AS act FROM visits) AS v
CROSS JOIN {{.Database}}.v_now AS stage_time
)
