-- What came from each source in the last day of stage time. Ask for it once a minute at most.
-- source: who sent it
-- event: position, or the kind of report
-- n: how many in the last day, those that were taken back too
-- late: of those: beyond the lateness (72 h)
-- last_at: when the last of them happened, UTC
-- delay_s: median of how long after it happened it came in, seconds; NULL: not told
SELECT source, event, n, late, last_at, delay_s FROM received
