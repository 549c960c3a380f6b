CREATE OR REPLACE VIEW {{.Database}}.v_plans
(
    border String COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    unit_kind LowCardinality(String) COMMENT 'always none: a plan is not about one unit',
    direction LowCardinality(String) COMMENT 'direction of the exchange',
    date Nullable(Date) COMMENT 'railway day of the side that is left',
    trains Float64 COMMENT 'trains agreed for the day',
    containers Nullable(Float64) COMMENT 'containers agreed for the day; NULL: not said',
    announced_at {{time}} COMMENT 'time of the event, UTC',
    source LowCardinality(String) COMMENT 'who sent it',
    id String COMMENT 'identifies the event within its source'
)
COMMENT 'The exchange of trains that railways agreed for a border, by day.'
AS SELECT
    t.subject AS border, {{border "t.subject"}} AS border_name, t.unit_kind AS unit_kind, t.direction AS direction, toDateOrNull(t.date) AS date, t.trains AS trains,
    if(isNaN(t.containers), NULL, t.containers) AS containers, t.time AS announced_at, t.source AS source, t.id AS id
FROM {{from "plans"}} AS t FINAL
WHERE t.verb = 'plan' AND (t.source, t.id) GLOBAL NOT IN (
    SELECT source, retracts_id FROM {{from "plans"}} FINAL WHERE verb = 'retracted')
