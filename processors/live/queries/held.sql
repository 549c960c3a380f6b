-- Units held back upstream, on the way to a border, in some time.
-- ?border: catalogue id of the border
-- ?from: beginning of the time, UTC
-- ?to: its end, UTC
-- unit: train run, vessel voyage, wagon or container
-- unit_kind: never count them together
-- place_name: where
-- country: ISO country code of the place
-- cause: code of the cause; empty: none was given
-- since: held since then, UTC
-- until: UTC; NULL: it is still held
SELECT unit, unit_kind, place_name, country, act.cause AS cause, act.from AS since, act.to AS until
FROM (SELECT unit, unit_kind, place_name, country, arrayJoin(activities) AS act FROM v_visits)
WHERE act.kind = 'held' AND act.bound_for = {border:String} AND act.from < parseDateTime64BestEffort({to:String}, 3, 'UTC')
    AND (isNull(act.to) OR act.to >= parseDateTime64BestEffort({from:String}, 3, 'UTC'))
