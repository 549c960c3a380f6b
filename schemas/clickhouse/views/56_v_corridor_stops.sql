CREATE OR REPLACE VIEW {{.Database}}.v_corridor_stops
(
    corridor LowCardinality(String) COMMENT 'corridor of the catalogue. A journey is in it if its first and last place and more of its places than of any other corridor''s lie on it, in order; where several corridors hold equally many, it is in each of them',
    corridor_name String COMMENT 'name of the corridor',
    direction LowCardinality(String) COMMENT 'up: with the order of places of the corridor; down: against it',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    origin LowCardinality(String) COMMENT 'catalogue id of the place where the journey begins on the corridor',
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
    corridors AS (SELECT id, name, places, km FROM {{.Database}}.catalogue_corridors),
    journeys AS (
        SELECT
            unit_kind, unit, journey,
            -- place, when it came, when it went
            arraySort(v -> (v.2, v.4), groupArray((toString(place), assumeNotNull(coalesce(arrived, entered, departed, left)), coalesce(departed, left), n))) AS stays
        FROM {{.Database}}.v_visits
        WHERE isNotNull(coalesce(arrived, entered, departed, left))
        GROUP BY unit_kind, unit, journey
    ),
    fits AS (
        SELECT
            j.unit_kind AS unit_kind, j.unit AS unit, j.journey AS journey, c.id AS corridor, c.name AS name, c.places AS places, c.km AS km,
            arrayFilter(v -> has(c.places, v.1), j.stays) AS stays,
            arrayMap(v -> indexOf(c.places, v.1), stays) AS way,
            length(way) AS held, max(held) OVER (PARTITION BY j.unit_kind, j.unit, j.journey) AS most, arraySort(way) = way AS up
        FROM journeys AS j CROSS JOIN corridors AS c
        WHERE has(c.places, (j.stays[1]).1) AND has(c.places, (j.stays[-1]).1) AND (j.stays[1]).1 != (j.stays[-1]).1
            AND (up OR arrayReverseSort(way) = way)
    ),
    told AS (
        SELECT
            f.corridor AS corridor, f.name AS corridor_name, if(f.up, 'up', 'down') AS direction, f.unit_kind AS unit_kind, f.unit AS unit, f.journey AS journey,
            (f.stays[1]).1 AS origin, coalesce((arrayLast(v -> v.1 = origin, f.stays)).3, (f.stays[1]).2) AS origin_at, f.km[f.way[1]] AS origin_km,
            f.places AS places, f.km AS corridor_km, f.stays AS stays, arrayJoin(arrayDistinct(f.way)) AS position
        FROM fits AS f WHERE f.held = f.most
    )
SELECT
    corridor, corridor_name, direction, unit_kind, unit, journey, origin, assumeNotNull(t.origin_at) AS origin_at,
    t.places[t.position] AS place, {{place "place"}} AS place_name, position, abs(t.corridor_km[t.position] - origin_km) AS km,
    (arrayFirst(v -> v.1 = place, stays)).2 AS arrived, (arrayLast(v -> v.1 = place, stays)).3 AS departed,
    if(place = origin, 0, {{in_hours (seconds "origin_at" "arrived")}}) AS arrived_h,
    if(place = origin, 0, {{in_hours (seconds "origin_at" "departed")}}) AS departed_h
FROM told AS t
