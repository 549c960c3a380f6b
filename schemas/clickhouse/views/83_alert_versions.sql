CREATE OR REPLACE VIEW {{.Database}}.alert_versions
COMMENT 'Every version of each alert, also those that were told again or taken back by a later epoch: taken_back, then only fingerprint and area are told.'
AS SELECT
{{template "alert"}}, toBool(t.deleted) AS taken_back, t.version AS version
FROM {{from "alerts_history"}} AS t FINAL
