-- The time-distance diagram of a corridor: a row for each train or vessel that was at one of its places in the time asked for, or three
-- days before or after, so that lines go on beyond the edges. Times within arrays are milliseconds since 1970.
-- ?corridor: catalogue id of the corridor
-- ?from: beginning of the time, UTC
-- ?to: its end, UTC
-- unit: train run or vessel voyage
-- unit_kind: train or vessel
-- delay_s: how late it was against its plan when last known, seconds; negative: early; NULL: no plan
-- visits: [place, came, went, stopped, still there, planned arrival, planned departure] by time; of a pass came and went are edges of the fence
-- plan: [place, arrival, departure] of its last plan, in order
WITH
    parseDateTime64BestEffort({from:String}, 3, 'UTC') - INTERVAL 3 DAY AS since,
    parseDateTime64BestEffort({to:String}, 3, 'UTC') + INTERVAL 3 DAY AS until,
    runs AS (
        SELECT
            unit, unit_kind, coalesce(departure_delay_s, arrival_delay_s) AS delay,
            if(stopped, coalesce(arrived, entered), coalesce(entered, arrived, left)) AS came,
            multiIf(state IN ('open', 'silent'), NULL, stopped, coalesce(departed, left), coalesce(left, entered)) AS went,
            tuple(toString(place), toUnixTimestamp64Milli(came), toUnixTimestamp64Milli(went), stopped, state IN ('open', 'silent'),
                toUnixTimestamp64Milli(planned_arrival), toUnixTimestamp64Milli(planned_departure)) AS visit
        FROM v_visits
        WHERE unit_kind IN ('train', 'vessel') AND place IN (SELECT arrayJoin(places) FROM catalogue_corridors WHERE id = {corridor:String})
            AND came < until AND (state IN ('open', 'silent') OR coalesce(went, came) >= since)
    ),
    plans AS (
        SELECT unit, argMax(stops, (time, recorded_at, id)) AS stops
        FROM v_events
        WHERE event = 'planned' AND NOT retracted AND unit GLOBAL IN (SELECT unit FROM runs)
        GROUP BY unit
    )
SELECT
    r.unit AS unit, r.unit_kind AS unit_kind, r.delay_s AS delay_s, r.visits AS visits,
    arrayMap(s -> (s.place, toUnixTimestamp64Milli(s.arrival), toUnixTimestamp64Milli(s.departure)), p.stops) AS plan
FROM (
    SELECT unit, any(unit_kind) AS unit_kind, argMax(delay, came) AS delay_s, arraySort(v -> (v.2, ifNull(v.3, v.2)), groupArray(visit)) AS visits
    FROM runs GROUP BY unit
) AS r
GLOBAL LEFT JOIN plans AS p ON p.unit = r.unit
