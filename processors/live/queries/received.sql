-- What came from each source in the last day of stage time, positions apart. It reads all events: ask for it once a minute at most.
-- source: who sent it
-- event: position, or the kind of report
-- n: how many in the last day
-- late: of those: beyond the lateness (72 h)
-- last_at: when the last of them happened, UTC
-- delay_s: median of how long after it happened it came in, seconds; NULL: not told
SELECT source, event, count() AS n, countIf(late) AS late, max(time) AS last_at,
    if(countIf(isNotNull(accepted_at)) = 0, NULL, quantileIf(0.5)(dateDiff('millisecond', time, assumeNotNull(accepted_at)) / 1000, isNotNull(accepted_at))) AS delay_s
FROM (
    SELECT source, 'position' AS event, time, accepted_at, late FROM v_positions WHERE time > (SELECT now FROM v_now) - INTERVAL 24 HOUR
    UNION ALL
    SELECT source, toString(event), time, accepted_at, late FROM v_events WHERE time > (SELECT now FROM v_now) - INTERVAL 24 HOUR
)
GROUP BY source, event
