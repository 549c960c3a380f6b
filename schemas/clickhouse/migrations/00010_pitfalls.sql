-- What does not count and is kept beside what does: reports of a source that is trusted less, and positions that are only repeated.

-- +goose NO TRANSACTION
-- +goose Up
{{range tables "visits" "visits_history"}}
ALTER TABLE {{$.Database}}.{{.}} ADD COLUMN IF NOT EXISTS otherwise_what Array(LowCardinality(String)) COMMENT 'arrived or departed: a report that does not count, since a source that is trusted more, or a later one, says something else' AFTER overlap_s;
ALTER TABLE {{$.Database}}.{{.}} ADD COLUMN IF NOT EXISTS otherwise_at Array({{time}}) COMMENT 'the time it tells, UTC' AFTER otherwise_what;
ALTER TABLE {{$.Database}}.{{.}} ADD COLUMN IF NOT EXISTS otherwise_source Array(LowCardinality(String)) COMMENT 'who tells it' AFTER otherwise_at;
{{end}}
{{range tables "train_status"}}
ALTER TABLE {{$.Database}}.{{.}} ADD COLUMN IF NOT EXISTS same_since {{time}} COMMENT 'since when the same position, to the last digit, has been sent with new times, if for more than a day, UTC; else 1970' AFTER source;
{{end}}
