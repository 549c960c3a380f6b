CREATE OR REPLACE VIEW {{.Database}}.v_section_speed
(
    {{period}}arrival at the end of the section',
    corridor LowCardinality(String) COMMENT 'corridor the journeys are on; empty: not known, or several fit',
    corridor_name String COMMENT 'name of the corridor',
    section LowCardinality(String) COMMENT 'section of the catalogue',
    from_place LowCardinality(String) COMMENT 'catalogue id of the place the leg begins at',
    from_name String COMMENT 'its name',
    to_place LowCardinality(String) COMMENT 'catalogue id of the place the leg ends at',
    to_name String COMMENT 'its name',
    mode LowCardinality(String) COMMENT 'rail, sea or road',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    n UInt64 COMMENT 'legs counted: completed ones that are just this section',
    km Float64 COMMENT 'length of the section, km',
    elapsed_s Int64 COMMENT 'sum of elapsed_s, seconds',
    moving_s Int64 COMMENT 'sum of moving_s, seconds',
    swd_kmh Nullable(Float64) COMMENT 'SWD (CPMM TFI4), speed with delay: sum of km / sum of elapsed time, stops and borders included, km/h',
    swod_kmh Nullable(Float64) COMMENT 'SWOD, speed without delay: sum of km / sum of time in motion, km/h'
)
COMMENT 'CAREC CPMM SWD and SWOD by section of the catalogue: distance / total elapsed time (stops and border crossings included, the stop before the section too), and distance / time in motion.'
AS SELECT
    {{periods "arrived_at"}} AS period, if(corridor_basis = 'ambiguous', '', toString(l.corridor)) AS corridor, {{corridor "corridor"}} AS corridor_name, section, from_place, any(l.from_name) AS from_name, to_place, any(l.to_name) AS to_name,
    mode, unit_kind, count() AS n,
    -- Whole metres are summed, so that the order of the rows cannot show in the last digits.
    sum(toInt64(round(l.km * 1000))) / 1000 / n AS km,
    sum(l.elapsed_s) AS elapsed_s, sum(l.moving_s) AS moving_s,
    sum(toInt64(round(l.km * 1000))) * 3.6 AS ms, round(ms / nullIf(elapsed_s, 0), 4) AS swd_kmh,
    round(ms / nullIf(moving_s, 0), 4) AS swod_kmh
FROM {{.Database}}.v_legs AS l
WHERE section != '' AND isNotNull(l.km) AND isNotNull(arrived_at)
GROUP BY period, corridor, section, from_place, to_place, mode, unit_kind
