-- Clocks that oppose: a train departs, by one railway's clock, after it has arrived at the next place by another's.

-- +goose NO TRANSACTION
-- +goose Up
{{range tables "visits" "visits_history"}}
ALTER TABLE {{$.Database}}.{{.}} ADD COLUMN IF NOT EXISTS overlap_s Int64 COMMENT 'seconds by which the reported departure lies after the next visit began' AFTER terminus;
{{end}}
