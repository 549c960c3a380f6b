-- Every version of a restriction: one that is told again under its id, lifted most of all, was in force before, and alerts rested on it.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Database}}.restrictions_history AS {{.Database}}.restrictions
ENGINE = {{engine "version"}} ORDER BY (subject, source, id, recorded_at, hash);

INSERT INTO {{.Database}}.restrictions_history SELECT * FROM {{.Database}}.restrictions;
