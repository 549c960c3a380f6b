CREATE OR REPLACE VIEW {{.Database}}.v_corridor_stops
(
    corridor LowCardinality(String) COMMENT 'corridor along which the places are counted. A journey is in it if its first and last place and more of its places than of any other corridor''s lie on it, in order; where several corridors hold equally many, it is in each of them, unlike in v_legs, where corridor is empty then: filter on one',
    corridor_name String COMMENT 'name of the corridor',
    direction LowCardinality(String) COMMENT 'up: with the order of places of the corridor, down: against it; of a border it is from_country-to_country instead',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    origin LowCardinality(String) COMMENT 'catalogue id of the place where the journey begins on the corridor',
    destination LowCardinality(String) COMMENT 'catalogue id of the last place it was at: where it ends, or is by now',
    origin_at {{time}} COMMENT 'departure from there, UTC: hours are counted from it',
    place LowCardinality(String) COMMENT 'catalogue id of a place of the corridor',
    place_name String COMMENT 'name of the place',
    position UInt32 COMMENT 'first, second ... place of the corridor, from 1, in its own order',
    km Float64 COMMENT 'distance from origin by the catalogue, km',
    arrived Nullable({{time}}) COMMENT 'first arrival there, or passing it, UTC; NULL: not known',
    departed Nullable({{time}}) COMMENT 'last departure from there, or passing it, UTC; NULL: still there, or not known',
    arrived_h Nullable(Float64) COMMENT 'origin_at to arrived, hours; 0 at origin',
    departed_h Nullable(Float64) COMMENT 'origin_at to departed, hours; 0 at origin'
)
COMMENT 'String lines: when each journey came to and left the places of its corridor. Basis of v_time_distance and v_corridor_transit.'
AS WITH
{{template "corridor lines" .}},
{{template "lines"}}
SELECT
    corridor, corridor_name, direction, unit_kind, unit, journey, origin, destination, origin_at,
    at.1 AS place, {{place "place"}} AS place_name, toUInt32(at.2) AS position, at.3 AS km, at.4 AS arrived, at.5 AS departed,
    if(place = origin, 0, {{in_hours (seconds "origin_at" "arrived")}}) AS arrived_h,
    if(place = origin, 0, {{in_hours (seconds "origin_at" "departed")}}) AS departed_h
FROM (SELECT *, arrayJoin(stops) AS at FROM lines)
