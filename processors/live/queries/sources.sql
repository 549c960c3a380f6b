-- Sources of positions and reports: what is known of the trains and vessels they last told of, and what of theirs was rejected.
-- source: who sends
-- open: trains and vessels under way that it last told of
-- silent: of those: beyond their tracker's interval
-- lost: 14 days without evidence
-- seen_at: time of its last fix or report, UTC
-- rejects: what was rejected and is not mended, all reasons together
SELECT source, sum(o) AS open, sum(s) AS silent, sum(l) AS lost, max(seen) AS seen_at, sum(r) AS rejects
FROM (
    SELECT toString(source) AS source, state IN ('open', 'silent') AS o, state = 'silent' AS s, state = 'lost' AS l, seen_at AS seen, 0 AS r FROM v_train_status WHERE source != ''
    UNION ALL
    SELECT source, 0, 0, 0, NULL, open FROM v_rejects
)
GROUP BY source
