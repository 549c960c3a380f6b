CREATE OR REPLACE VIEW {{.Database}}.v_gauge_breaks
(
    unit String COMMENT 'container',
    unit_kind LowCardinality(String) COMMENT 'always container: wagons stay on their gauge',
    journey String COMMENT 'journey of the container',
    border LowCardinality(String) COMMENT 'catalogue id of the border; gauge breaks inland: v_transfers at their place',
    n UInt32 COMMENT 'an ordinal: first, second ... crossing of this border in this journey, from 1',
    gauge_break LowCardinality(String) COMMENT 'catalogue id of the gauge break',
    direction LowCardinality(String) COMMENT 'from_country-to_country of the crossing',
    consist String COMMENT 'what arrived together: count consists, not containers, when comparing',
{{transfer}}
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'A container through a gauge break: from the arrival of the first train on the side on which containers are moved to the departure of the second from this side, with the seconds on the first train, between the two and on the second, by cause.'
AS WITH (SELECT now FROM {{.Database}}.v_now) AS stage_time
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.border AS border, t.n AS n, t.gauge_break AS gauge_break,
    concat(t.from_country, '-', t.to_country) AS direction, t.consist AS consist,
{{parts}}
    t.known_at AS known_at
FROM {{from "crossings"}} AS t FINAL
WHERE t.transfer_first != ''
