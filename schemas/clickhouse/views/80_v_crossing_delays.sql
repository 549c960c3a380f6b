CREATE OR REPLACE VIEW {{.Database}}.v_crossing_delays
(
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    n UInt32 COMMENT 'first, second ... crossing of this border in this journey, from 1',
    role LowCardinality(String) COMMENT 'outbound or inbound: one side; pair: both, from entering the first to leaving the second',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    usual_s Nullable(Int64) COMMENT 'median, seconds, of the same border, role, direction and kind of unit, of those that ended in the 28 days before this began (of pairs with a consist: consists); NULL: fewer than 20',
    p95_s Nullable(Int64) COMMENT '95th percentile of the same, seconds; NULL: fewer than 20',
    samples UInt32 COMMENT 'how many these are, in samples_of',
    samples_of LowCardinality(String) COMMENT 'what samples counts: train, vessel, wagon or container, each by itself; consist: wagons or containers that arrived at the border in one train are one (pairs of wagons and containers; one that came by itself is one too)',
    baseline_basis LowCardinality(String) COMMENT 'what alerts hold it against: usual; norm: too few samples, the norm of the catalogue; none',
    delay_usual_s Nullable(Int64) COMMENT 'its own time - usual_s, seconds; NULL: open, no usual time, of a pair one side was not seen, or below 0 by clocks that oppose',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'Crossings and their sides against what was usual before they began. Later revisions of earlier ones change it for 72 hours.'
AS SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.border AS border, {{border "t.border"}} AS border_name, t.n AS n, t.role AS role,
    t.direction AS direction, t.area AS area, if(t.has_usual, t.usual_s, NULL) AS usual_s, if(t.has_usual, t.p95_s, NULL) AS p95_s,
    t.samples AS samples, if(t.role = 'pair' AND t.unit_kind IN ('wagon', 'container'), 'consist', toString(t.unit_kind)) AS samples_of, t.baseline_basis AS baseline_basis,
    if(t.has_usual AND if(t.role = 'pair', c.total_s >= 0 AND notEmpty(c.inbound_places), s.side_s >= 0), t.delay_usual_s, NULL) AS delay_usual_s, t.known_at AS known_at
FROM {{from "crossing_delays"}} AS t FINAL
GLOBAL LEFT JOIN (SELECT unit, journey, border, n, toString(role) AS role, side_s FROM {{.Database}}.v_crossing_sides) AS s
    ON s.unit = t.unit AND s.journey = t.journey AND s.border = t.border AND s.n = t.n AND s.role = t.role
GLOBAL LEFT JOIN (SELECT unit, journey, border, n, total_s, inbound_places FROM {{.Database}}.v_crossings) AS c
    ON c.unit = t.unit AND c.journey = t.journey AND c.border = t.border AND c.n = t.n
SETTINGS join_use_nulls = 1
