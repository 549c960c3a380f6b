CREATE OR REPLACE VIEW {{.Database}}.v_country_speed
(
    {{period}}arrival at the end of the leg',
    country LowCardinality(String) COMMENT 'ISO country code; a leg over a border, and the stop before it, belong to the country that is left',
    mode LowCardinality(String) COMMENT 'rail, sea or road: SWD and SWOD of CPMM are of rail',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
{{template "speed columns"}}
)
COMMENT 'CAREC CPMM SWD and SWOD by country. SWD: distance / total elapsed time, stops and border crossings included. SWOD: distance / time in motion only. Quotients of sums, so that long legs weigh more. Trains that begin or end at a gauge break leave out the wait between them: where the gauge changes containers tell the whole.'
AS SELECT
    {{periods "arrived_at"}} AS period, from_country AS country, mode, unit_kind,
{{template "speeds"}}
    metres / 1000 AS km, {{in_hours "elapsed"}} AS elapsed_h, {{in_hours "moving"}} AS moving_h
FROM {{.Database}}.v_legs AS l
WHERE isNotNull(arrived_at)
GROUP BY period, country, mode, unit_kind
