-- The catalogue, written whole by the migration, and dictionaries over it: dictGet('places', 'name', place).

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Database}}.catalogue
(
    hash String,
    loaded_at {{time}} DEFAULT now64(3)
)
ENGINE = {{plain}} ORDER BY loaded_at;

CREATE TABLE IF NOT EXISTS {{.Database}}.catalogue_places
(
    id String,
    name String,
    country String,
    kinds Array(String),
    zone String,
    gauges Array(UInt16),
    has_position Bool,
    lat Float64,
    lon Float64,
    quality String,
    radius_m Float64,
    area String
)
ENGINE = {{plain}} ORDER BY id;

CREATE TABLE IF NOT EXISTS {{.Database}}.catalogue_borders
(
    id String,
    name String,
    country_a String,
    country_b String,
    places_a Array(String),
    places_b Array(String),
    gauge_break String,
    customs Bool,
    sanitary Bool,
    sea Bool,
    area String
)
ENGINE = {{plain}} ORDER BY id;

CREATE TABLE IF NOT EXISTS {{.Database}}.catalogue_corridors
(
    id String,
    name String,
    status String,
    through_central_asia Bool,
    places Array(String),
    km Array(Float64)
)
ENGINE = {{plain}} ORDER BY id;

CREATE TABLE IF NOT EXISTS {{.Database}}.catalogue_sections
(
    id String,
    from_place String,
    to_place String,
    km Float64,
    mode String,
    status String,
    gauge UInt16,
    max_speed_kmh Float64,
    running_kmh Float64
)
ENGINE = {{plain}} ORDER BY id;

CREATE DICTIONARY IF NOT EXISTS {{.Database}}.places
(
    id String,
    name String,
    country String,
    zone String,
    lat Float64,
    lon Float64,
    quality String,
    area String
)
PRIMARY KEY id
SOURCE({{source "catalogue_places"}})
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(MIN 0 MAX 300);

CREATE DICTIONARY IF NOT EXISTS {{.Database}}.borders
(
    id String,
    name String,
    country_a String,
    country_b String,
    gauge_break String,
    customs UInt8,
    sanitary UInt8,
    sea UInt8,
    area String
)
PRIMARY KEY id
SOURCE({{source "catalogue_borders"}})
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(MIN 0 MAX 300);

CREATE DICTIONARY IF NOT EXISTS {{.Database}}.corridors
(
    id String,
    name String,
    status String,
    through_central_asia UInt8
)
PRIMARY KEY id
SOURCE({{source "catalogue_corridors"}})
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(MIN 0 MAX 300);
