-- How the sides of borders count days.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE {{.Database}}.catalogue_borders
    ADD COLUMN IF NOT EXISTS zone_a String DEFAULT 'UTC' COMMENT 'reporting zone of country_a here (IANA): by its clocks days are counted',
    ADD COLUMN IF NOT EXISTS day_start_a UInt16 DEFAULT 1080 COMMENT 'its railway day begins so many minutes after midnight',
    ADD COLUMN IF NOT EXISTS zone_b String DEFAULT 'UTC' COMMENT 'reporting zone of country_b here (IANA)',
    ADD COLUMN IF NOT EXISTS day_start_b UInt16 DEFAULT 1080 COMMENT 'its railway day begins so many minutes after midnight';
