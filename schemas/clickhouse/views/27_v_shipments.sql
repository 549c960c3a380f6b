CREATE OR REPLACE VIEW {{.Database}}.v_shipments
(
    consignment String COMMENT 'consignment, the subject of the events',
    unit_kind LowCardinality(String) COMMENT 'always none: a consignment is not a unit; its units are in units',
    source LowCardinality(String) COMMENT 'who declared it',
    declared_at Nullable({{time}}) COMMENT 'time of the latest declaration, which replaces earlier ones, UTC',
    note String COMMENT 'consignment note',
    replaces String COMMENT 'note that this one replaces; empty: none',
    replaced_by String COMMENT 'note that replaces this one; empty: none',
    origin LowCardinality(String) COMMENT 'catalogue id of the place of origin',
    origin_name String COMMENT 'name of the place of origin',
    destination LowCardinality(String) COMMENT 'catalogue id of the destination',
    destination_name String COMMENT 'name of the destination',
    shipper_region LowCardinality(String) COMMENT 'region of the shipper',
    trade_mode LowCardinality(String) COMMENT 'general, e-commerce or processing',
    goods Array(Tuple(hs String, description String, weight_kg Float64, value Float64, currency String)) COMMENT 'goods as declared',
    weight_kg Float64 COMMENT 'sum over the goods, kilograms',
    units Array(Tuple(id String, share Nullable(Float64))) COMMENT 'wagons and containers, with the share of the consignment in them where declared',
    milestone LowCardinality(String) COMMENT 'latest milestone: booked, gate_in, departed, arrived, gate_out, delivered; empty: none',
    milestone_at Nullable({{time}}) COMMENT 'time of the latest milestone, UTC'
)
COMMENT 'Consignments by their latest declaration, with the latest milestone.'
AS WITH
    valid AS (
        SELECT * FROM {{from "shipments"}} FINAL
        WHERE verb != 'retracted' AND classifier = 'actual'
            AND (source, id) GLOBAL NOT IN (SELECT source, retracts_id FROM {{from "shipments"}} FINAL WHERE verb = 'retracted')),
    declared AS (SELECT * FROM valid WHERE verb = 'declared' ORDER BY subject, time DESC, recorded_at DESC, hash DESC LIMIT 1 BY subject),
    reached AS (SELECT subject, milestone, time FROM valid WHERE verb = 'milestone' ORDER BY subject, time DESC, recorded_at DESC, hash DESC LIMIT 1 BY subject),
    -- One note may claim to replace another that claims the same: the smallest is shown, so that the answer is always the same.
    successor AS (SELECT replaces AS old, min(note) AS new FROM declared WHERE replaces != '' GROUP BY old)
SELECT
    d.subject AS consignment, 'none' AS unit_kind, d.source AS source, d.time AS declared_at, d.note AS note, d.replaces AS replaces,
    s.new AS replaced_by,
    d.origin AS origin, {{place "d.origin"}} AS origin_name, d.destination AS destination, {{place "d.destination"}} AS destination_name,
    d.shipper_region AS shipper_region, d.trade_mode AS trade_mode,
    arrayMap((h, t, w, v, c) -> (h, t, w, v, toString(c)), d.goods_hs, d.goods_description, d.goods_weight_kg, d.goods_value, d.goods_currency) AS goods,
    arraySum(d.goods_weight_kg) AS weight_kg,
    arrayMap((u, p) -> (u, if(isNaN(p), NULL, p)), d.unit_id, d.unit_share) AS units,
    m.milestone AS milestone, {{known "m.time"}} AS milestone_at
FROM declared AS d
LEFT JOIN reached AS m ON m.subject = d.subject
LEFT JOIN successor AS s ON s.old = d.note
