CREATE OR REPLACE VIEW {{.Database}}.v_alerts
(
{{template "alert columns" .}}
)
COMMENT 'Alerts, the latest version of each; v_alert_history has every version.'
AS SELECT
{{template "alert"}}
FROM {{from "alerts"}} AS t FINAL
