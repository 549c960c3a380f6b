-- Hand-overs that were refused or returned at a border in some time.
-- ?border: catalogue id of the border
-- ?from: beginning of the time, UTC
-- ?to: its end, UTC
-- unit: train run
-- unit_kind: train or vessel
-- direction: from_country-to_country; empty: its crossing is not known
-- at: when, UTC
-- step: refused or returned
-- cause: code of the cause; empty: none was given
SELECT e.unit AS unit, e.unit_kind AS unit_kind, c.direction AS direction, e.time AS at, e.step AS step, e.cause AS cause
FROM (
    SELECT unit, unit_kind, time, step, cause FROM v_events
    WHERE event = 'handover' AND step IN ('refused', 'returned') AND border = {border:String} AND NOT retracted AND classifier = 'actual'
        AND time >= parseDateTime64BestEffort({from:String}, 3, 'UTC') AND time < parseDateTime64BestEffort({to:String}, 3, 'UTC')
) AS e
GLOBAL LEFT JOIN (SELECT unit, max(direction) AS direction FROM v_crossings WHERE border = {border:String} GROUP BY unit) AS c ON c.unit = e.unit
