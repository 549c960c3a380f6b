-- Units that were at a side of a border in some time, or may have been: what a shift report counts.
-- ?border: catalogue id of the border
-- ?from: beginning of the time, UTC
-- ?to: its end, UTC
-- unit: train run, vessel voyage, wagon or container
-- unit_kind: never count them together
-- direction: from_country-to_country
-- role: outbound or inbound side
-- country: ISO country code of the side
-- came: entered or arrived at the side, UTC; NULL: nobody saw it come
-- went: left or departed from it, UTC; NULL: it is still there, or nobody saw it go
-- state: open, silent, lost or closed
-- known_at: stage time at which that became known, UTC
-- norm_s: norm of the side, seconds; NULL: none
-- causes: what was done, with its seconds
SELECT unit, unit_kind, direction, role, country, coalesce(entered, arrived) AS came, if(state = 'closed', coalesce(left, departed), NULL) AS went,
    state, known_at, norm_s, causes
FROM v_crossing_sides
WHERE border = {border:String} AND state != 'none'
    AND (isNull(came) OR came < parseDateTime64BestEffort({to:String}, 3, 'UTC') OR went < parseDateTime64BestEffort({to:String}, 3, 'UTC'))
    AND coalesce(went, if(state IN ('open', 'silent'), NULL, known_at), toDateTime64('2199-01-01', 3, 'UTC')) >= parseDateTime64BestEffort({from:String}, 3, 'UTC')
