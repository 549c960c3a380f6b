CREATE OR REPLACE VIEW {{.Database}}.v_now
(
    now Nullable({{time}}) COMMENT 'stage time, UTC: all results of what was known before it are in these views; running lengths are measured against it. Results of what came later may be in them too: while stages catch up (after a restart, or while history is loaded) times of rows may lie behind it, by as much as the tasks are apart; NULL: no tick has passed yet'
)
COMMENT 'Stage time, one row: what "now" means in every view.'
AS SELECT {{known "fromUnixTimestamp64Milli(toInt64(min(mark)), 'UTC')"}} AS now
FROM {{from "ticks"}} FINAL
