-- Costs of runs and units, which no stage folds.

-- +goose NO TRANSACTION
-- +goose Up
{{- range tables "train_events" "unit_events"}}
ALTER TABLE {{$.Database}}.{{.}}
    MODIFY COLUMN verb {{verb}},
    ADD COLUMN IF NOT EXISTS amount Float64 DEFAULT nan COMMENT 'cost: money, in currency',
    ADD COLUMN IF NOT EXISTS currency LowCardinality(String) COMMENT 'cost: ISO 4217',
    ADD COLUMN IF NOT EXISTS official Enum8('unknown' = -1, 'unofficial' = 0, 'official' = 1) COMMENT 'cost: with or without a receipt',
    ADD COLUMN IF NOT EXISTS cost_kind LowCardinality(String) COMMENT 'cost: code of what it was paid for',
    ADD COLUMN IF NOT EXISTS to_place LowCardinality(String) COMMENT 'cost: end of the way it was paid for',
    ADD COLUMN IF NOT EXISTS km Float64 DEFAULT nan COMMENT 'cost: length of the way, km; nan: not said',
    ADD COLUMN IF NOT EXISTS weight_t Float64 DEFAULT nan COMMENT 'cost: weight of the cargo, tonnes; nan: not said';
{{- end}}
{{- range tables "shipments" "restrictions" "plans"}}
ALTER TABLE {{$.Database}}.{{.}} MODIFY COLUMN verb {{verb}};
{{- end}}
