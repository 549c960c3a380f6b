CREATE OR REPLACE VIEW {{.Database}}.v_alert_history
(
{{template "alert columns" .}},
    taken_back Bool COMMENT 'this version does not hold any more, since what it rested on changed: then fingerprint and area alone are told',
    version UInt64 COMMENT 'order in which versions of one alert were told: the greater is the later'
)
COMMENT 'Every version of each alert (version tells the order), also those that were told again after a restart (of several with one updated the last counts) or taken back. The latest of each: v_alerts.'
AS SELECT
{{template "alert"}}, toBool(t.deleted) AS taken_back, t.version AS version
FROM {{from "alerts_history"}} AS t FINAL
