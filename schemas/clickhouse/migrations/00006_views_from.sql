-- Which database's tables the views of this one read; none: its own. The last row counts.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Database}}.views_from
(
    source String,
    at {{time}} DEFAULT now64(3)
)
ENGINE = {{plain}} ORDER BY at;
