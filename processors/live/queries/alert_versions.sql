-- What was told of an alert, by and by: a row for each time, also of the times it fired before.
-- ?fingerprint: of the alert
-- updated: stage time at which it was told, UTC; NULL: it was taken back
-- revision: 1 when it began to fire, counted up each time it was told
-- kind: feed_silent, closure, nothing_moving, growing_queue, level_shift, below_plan, overdue, anomalous or train_silent
-- severity: info, ticket or page
-- firing: it goes on
-- since: when what it tells of began, UTC
-- resolved: stage time at which it ended, UTC; NULL: it fires
-- area: places that one cause can delay together
-- border: catalogue id of the border; empty: none
-- border_name: name of the border
-- role: outbound or inbound: the side; empty: both
-- direction: from_country-to_country; empty: both, or a place
-- place: catalogue id of the place, where it is about none of a border
-- place_name: name of the place
-- corridors: that lead there
-- unit: the train, if it is about one
-- unit_kind: what waits: train, vessel, wagon or container; none: a feed
-- summary: what is the matter, in a line
-- value: how bad it is: hours waited, trains waiting, trains a day; as the summary says
-- baseline: what that is held against, in the same; of feed_silent how many arrivals and departures were to be heard of, of nothing_moving how many trains should have gone on
-- baseline_basis: usual: the 28 days before; norm: the catalogue; plan: the agreed exchange; none
-- evidence: what it rests on, for people
-- restriction: what was declared for the border and is in force; empty: nothing
-- cause: fingerprint of the alert it became a part of, if that ended it
-- taken_back: a later version of the program does not tell of it: then nothing but known_at is known
-- known_at: stage time at which this row was written, UTC
SELECT updated, revision, kind, severity, firing, since, resolved, area, border, border_name, role, direction, place, place_name, corridors, unit, unit_kind,
    summary, value, baseline, baseline_basis, evidence, restriction, cause, taken_back, known_at
FROM (
    -- A later epoch tells the last version anew: of the same time the latest row counts.
    SELECT * FROM v_alert_history WHERE fingerprint = {fingerprint:String} ORDER BY version DESC LIMIT 1 BY updated
)
