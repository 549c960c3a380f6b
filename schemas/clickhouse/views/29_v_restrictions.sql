CREATE OR REPLACE VIEW {{.Database}}.v_restrictions
(
    subject String COMMENT 'area, place or section it is laid on',
    unit_kind LowCardinality(String) COMMENT 'always none: a restriction is not about one unit',
    effect LowCardinality(String) COMMENT 'closed, banned or limited',
    limit_per_day Nullable(Float64) COMMENT 'of limited: trains a day; NULL: not said',
    direction LowCardinality(String) COMMENT 'direction it holds for; empty: both',
    applies_to String COMMENT 'what it applies to; empty: everything',
    from_time Nullable({{time}}) COMMENT 'in force from, UTC',
    until_time Nullable({{time}}) COMMENT 'in force until, UTC; NULL: not said',
    in_force Nullable(Bool) COMMENT 'in force at v_now',
    reason String COMMENT 'why',
    reference String COMMENT 'telegram or notice',
    announced_at {{time}} COMMENT 'time of the event, UTC',
    source LowCardinality(String) COMMENT 'who sent it',
    id String COMMENT 'identifies the event within its source'
)
COMMENT 'Closures, bans and limits as they were announced, but for those taken back.'
AS WITH (SELECT now FROM {{.Database}}.v_now) AS stage_time
SELECT
    t.subject AS subject, t.unit_kind AS unit_kind, t.effect AS effect, if(isNaN(t.limit_per_day), NULL, t.limit_per_day) AS limit_per_day,
    t.direction AS direction, t.applies_to AS applies_to, {{known "t.from_time"}} AS from_time, {{known "t.until_time"}} AS until_time,
    toBool(t.from_time <= stage_time AND (isNull(until_time) OR until_time > stage_time)) AS in_force,
    t.reason AS reason, t.reference AS reference, t.time AS announced_at, t.source AS source, t.id AS id
FROM {{from "restrictions"}} AS t FINAL
WHERE t.verb = 'restriction' AND (t.source, t.id) GLOBAL NOT IN (
    SELECT source, retracts_id FROM {{from "restrictions"}} FINAL WHERE verb = 'retracted')
