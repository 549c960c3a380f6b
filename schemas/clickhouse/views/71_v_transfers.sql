CREATE OR REPLACE VIEW {{.Database}}.v_transfers
(
    unit String COMMENT 'wagon or container',
    unit_kind LowCardinality(String) COMMENT 'wagon or container: never count them together',
    journey String COMMENT 'journey of the unit',
    place LowCardinality(String) COMMENT 'catalogue id of the place',
    place_name String COMMENT 'name of the place',
    n UInt32 COMMENT 'an ordinal: first, second ... visit of this journey to this place, from 1',
{{transfer}}
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'A load unit that changes vehicles at a place, or was taken off one: ports, terminals, gauge breaks. Through a gauge break at a border, all places of its side together: v_gauge_breaks.'
AS WITH (SELECT now FROM {{.Database}}.v_now) AS stage_time
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.place AS place, {{place "t.place"}} AS place_name, t.n AS n,
{{parts}}
    t.known_at AS known_at
FROM {{from "visits"}} AS t FINAL
WHERE t.transfer_first != ''
