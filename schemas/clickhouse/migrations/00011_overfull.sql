-- A run whose tracker makes up more than a run can have.

-- +goose NO TRANSACTION
-- +goose Up
{{range tables "train_status"}}
ALTER TABLE {{$.Database}}.{{.}} ADD COLUMN IF NOT EXISTS overfull Bool COMMENT 'positions tell of more visits, or stands, than a run can have: the later ones are left out' AFTER same_since;
{{end}}
