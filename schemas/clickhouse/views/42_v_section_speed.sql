CREATE OR REPLACE VIEW {{.Database}}.v_section_speed
(
    {{period}}arrival at the end of the section',
    corridor LowCardinality(String) COMMENT '{{journey_corridor}}',
    corridor_name String COMMENT 'name of the corridor',
    section LowCardinality(String) COMMENT 'section of the catalogue',
    from_place LowCardinality(String) COMMENT 'catalogue id of the place the leg begins at',
    from_name String COMMENT 'its name',
    to_place LowCardinality(String) COMMENT 'catalogue id of the place the leg ends at',
    to_name String COMMENT 'its name',
    mode LowCardinality(String) COMMENT 'rail, sea or road',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    n UInt64 COMMENT 'legs counted: completed ones that are just this section; of containers and wagons each by itself',
    opposed_n UInt64 COMMENT 'of n: by clocks that oppose it arrived when or before it had departed: in SWD, not in moving_s and SWOD',
    km Float64 COMMENT 'length of the section, km',
    elapsed_s Int64 COMMENT 'sum of elapsed_s, seconds',
    moving_s Int64 COMMENT 'sum of moving_s of n - opposed_n legs, seconds',
    swd_kmh Nullable(Float64) COMMENT 'SWD (CPMM TFI4), speed with delay: sum of km / sum of elapsed time, stops and borders included, km/h; NULL: the sum is not positive, by clocks that oppose',
    swod_kmh Nullable(Float64) COMMENT 'SWOD, speed without delay: sum of km / sum of time in motion, km/h; NULL: all of them are opposed_n'
)
COMMENT 'CAREC CPMM SWD and SWOD by section of the catalogue: distance / total elapsed time (stops and border crossings included, the stop before the section too), and distance / time in motion. A row per corridor, direction and kind: over several the speed is sum(km * n) / sum(elapsed_s) of them, km being that of the section once.'
AS SELECT
    {{periods "arrived_at"}} AS period, corridor, {{corridor "corridor"}} AS corridor_name, section, from_place, any(l.from_name) AS from_name, to_place, any(l.to_name) AS to_name,
    mode, unit_kind,
{{template "speeds"}}
    metres / 1000 / n AS km, elapsed AS elapsed_s, moving AS moving_s
FROM {{.Database}}.v_legs AS l
WHERE section != '' AND isNotNull(l.km) AND isNotNull(arrived_at)
GROUP BY period, corridor, section, from_place, to_place, mode, unit_kind
