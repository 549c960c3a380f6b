-- What became of recomputes, as dwell (runs) and border (all units) told.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Database}}.recomputed
(
    id UInt64,
    stage LowCardinality(String),
    subject String,
    unit_kind {{unit_kind}},
    refused String,
    events UInt32,
    late UInt32,
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY (id, stage, subject);
