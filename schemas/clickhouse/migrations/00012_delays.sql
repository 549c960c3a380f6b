-- What the delay stage tells of crossings, hours and alerts.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE {{.Database}}.crossing_delays
    ADD COLUMN IF NOT EXISTS direction LowCardinality(String) COMMENT 'from and to country, CN-KZ' AFTER area,
    ADD COLUMN IF NOT EXISTS baseline_basis LowCardinality(String) COMMENT 'usual; norm: too few samples, the catalogue has one; none' AFTER delay_usual_s;

ALTER TABLE {{.Database}}.alerts
    ADD COLUMN IF NOT EXISTS direction LowCardinality(String) COMMENT 'from and to country, CN-KZ; empty: none or both' AFTER role,
    ADD COLUMN IF NOT EXISTS place LowCardinality(String) COMMENT 'catalogue id of the place, where it is none of a border' AFTER direction,
    ADD COLUMN IF NOT EXISTS unit_kind {{unit_kind}} COMMENT 'what waits' AFTER unit,
    ADD COLUMN IF NOT EXISTS corridors Array(LowCardinality(String)) COMMENT 'corridors that lead there' AFTER unit_kind,
    ADD COLUMN IF NOT EXISTS revision UInt32 COMMENT '1 when it begins to fire, counted up with each version' AFTER firing,
    ADD COLUMN IF NOT EXISTS cause String COMMENT 'fingerprint of the alert it became a part of' AFTER restriction;

CREATE TABLE IF NOT EXISTS {{.Database}}.alerts_history AS {{.Database}}.alerts
ENGINE = {{engine "version"}} ORDER BY (fingerprint, version);
