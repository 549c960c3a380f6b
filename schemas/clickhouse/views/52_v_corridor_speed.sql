CREATE OR REPLACE VIEW {{.Database}}.v_corridor_speed
(
    {{period}}arrival at the end of the leg',
    corridor LowCardinality(String) COMMENT 'corridor of the catalogue; empty: not known, or several fit',
    corridor_name String COMMENT 'name of the corridor',
    mode LowCardinality(String) COMMENT 'rail, sea or road: SWD and SWOD of CPMM are of rail',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    n UInt64 COMMENT 'legs counted: those that were completed and whose length the catalogue knows',
    journeys UInt64 COMMENT 'journeys they belong to',
    unknown_n UInt64 COMMENT 'completed legs whose length the catalogue does not know: not counted',
    km Float64 COMMENT 'sum of the lengths, km',
    elapsed_h Float64 COMMENT 'sum of the time from arrival to arrival, stops and border crossings included, hours',
    moving_h Float64 COMMENT 'of that: in motion, hours',
    swd_kmh Nullable(Float64) COMMENT 'SWD (CPMM TFI4), speed with delay: km / elapsed_h, km/h',
    swod_kmh Nullable(Float64) COMMENT 'SWOD, speed without delay: km / moving_h, km/h'
)
COMMENT 'CAREC CPMM SWD and SWOD by corridor. SWD: distance / total elapsed time, stops and border crossings included. SWOD: distance / time in motion only. Quotients of sums, so that long legs weigh more.'
AS SELECT
    {{periods "arrived_at"}} AS period, if(corridor_basis = 'ambiguous', '', toString(l.corridor)) AS corridor, {{corridor "corridor"}} AS corridor_name, mode, unit_kind,
    countIf(isNotNull(l.km)) AS n, uniqExactIf(l.journey, isNotNull(l.km)) AS journeys, countIf(isNull(l.km)) AS unknown_n,
    -- Whole metres are summed, so that the order of the rows cannot show in the last digits.
    sumIf(toInt64(round(assumeNotNull(l.km) * 1000)), isNotNull(l.km)) AS metres, metres / 1000 AS km,
    sumIf(elapsed_s, isNotNull(l.km)) AS elapsed, sumIf(moving_s, isNotNull(l.km)) AS moving,
    {{in_hours "elapsed"}} AS elapsed_h, {{in_hours "moving"}} AS moving_h,
    round(metres * 3.6 / nullIf(elapsed, 0), 4) AS swd_kmh, round(metres * 3.6 / nullIf(moving, 0), 4) AS swod_kmh
FROM {{.Database}}.v_legs AS l
WHERE isNotNull(arrived_at)
GROUP BY period, corridor, mode, unit_kind
