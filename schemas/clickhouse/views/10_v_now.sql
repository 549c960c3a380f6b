CREATE OR REPLACE VIEW {{.Database}}.v_now
(
    now Nullable({{time}}) COMMENT 'stage time, UTC: all results of what was known before it are in these views; running lengths are measured against it; NULL: no tick has passed yet'
)
AS SELECT {{known "fromUnixTimestamp64Milli(toInt64(min(mark)), 'UTC')"}} AS now
FROM {{from "ticks"}} FINAL
