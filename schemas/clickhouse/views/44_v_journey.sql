CREATE OR REPLACE VIEW {{.Database}}.v_journey
(
    unit String COMMENT 'train run, vessel voyage, wagon or container: ask for one, ORDER BY from_time, step',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    from_time Nullable({{time}}) COMMENT 'when it began, UTC',
    to_time Nullable({{time}}) COMMENT 'when it ended, UTC; NULL: still going on',
    step LowCardinality(String) COMMENT 'stop, pass, leg or crossing (which lies over the stops and legs it consists of)',
    what String COMMENT 'place, from - to, or border, by name',
    id String COMMENT 'catalogue id of the place, place the leg leads to, or border',
    seconds Nullable(Int64) COMMENT 'dwell_s of a stop, elapsed_s of a leg, total_s of a crossing; while open so far',
    km Nullable(Float64) COMMENT 'length of a leg, km',
    vehicle String COMMENT 'run or voyage: that carried it on a leg, that took it on from a stop or crossing',
    state LowCardinality(String) COMMENT 'open, silent, lost or closed',
    detail String COMMENT 'what is worth knowing: activities of a stop, SWD of a leg, delay of a crossing'
)
AS
SELECT
    unit, unit_kind, journey, coalesce(arrived, entered, departed, left) AS from_time, coalesce(if(stopped, departed, NULL), left) AS to_time,
    if(stopped, 'stop', 'pass') AS step, place_name AS what, toString(place) AS id, coalesce(dwell_s, running_s) AS seconds,
    CAST(NULL AS Nullable(Float64)) AS km, vehicle_out AS vehicle, state,
    arrayStringConcat(arrayMap(a -> a.kind, activities), ', ') AS detail
FROM {{.Database}}.v_visits
UNION ALL
SELECT
    unit, unit_kind, journey, coalesce(departed_at, started_at) AS from_time, arrived_at AS to_time,
    'leg' AS step, concat(from_name, ' - ', to_name) AS what, toString(to_place) AS id, elapsed_s AS seconds, km, vehicle, state,
    if(isNull(swd_kmh), '', concat(toString(round(swd_kmh, 1)), ' km/h with the stop before, ', ifNull(toString(round(swod_kmh, 1)), '?'), ' km/h moving')) AS detail
FROM {{.Database}}.v_legs
UNION ALL
SELECT
    unit, unit_kind, journey, coalesce(outbound_entered, inbound_entered) AS from_time, inbound_left AS to_time,
    'crossing' AS step, border_name AS what, toString(border) AS id, coalesce(total_s, running_s) AS seconds,
    CAST(NULL AS Nullable(Float64)) AS km, vehicle_out AS vehicle, state,
    concat(direction, if(candidate, ', not confirmed', ''), if(isNull(delay_norm_s), '', concat(', ', toString(delay_norm_s), ' s against the norm'))) AS detail
FROM {{.Database}}.v_crossings
