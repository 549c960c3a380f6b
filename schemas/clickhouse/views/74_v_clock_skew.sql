CREATE OR REPLACE VIEW {{.Database}}.v_clock_skew
(
    clock String COMMENT 'one source',
    against String COMMENT 'the other; of two the one whose name comes later in the alphabet',
    clock_place LowCardinality(String) COMMENT 'catalogue id of the place that clock reports of',
    against_place LowCardinality(String) COMMENT 'catalogue id of the place that against reports of',
    unit String COMMENT 'train run or vessel voyage',
    unit_kind LowCardinality(String) COMMENT 'train or vessel',
    to_clock Bool COMMENT 'true: it ran to clock_place; false: from there',
    departed {{time}} COMMENT 'as reported by one, UTC',
    arrived {{time}} COMMENT 'as reported by the other, UTC',
    running_s Int64 COMMENT 'departed to arrived as the two clocks tell it, seconds',
    opposed Bool COMMENT 'running_s is negative: by their clocks it arrived before it had departed'
)
COMMENT 'Runs between two neighbouring places of one border or gauge break (one area) of which one source reported the departure and another the arrival: every such time holds the difference of two clocks. v_clock_offsets estimates it.'
AS WITH
    stays AS (
        SELECT
            unit, unit_kind, toString(place) AS here, departed, departed_basis,
            leadInFrame(toString(place)) OVER ahead AS there, leadInFrame(arrived) OVER ahead AS next_arrived, leadInFrame(toString(arrived_basis)) OVER ahead AS next_basis
        FROM (SELECT *, coalesce(arrived, entered, departed, left) AS came FROM {{.Database}}.v_visits WHERE unit_kind IN ('train', 'vessel'))
        WINDOW ahead AS (PARTITION BY unit, journey ORDER BY came, n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ),
    reports AS (
        SELECT unit, toString(event) AS event, toString(place) AS place, time, min(toString(source)) AS source
        FROM {{.Database}}.v_events
        WHERE event IN ('arrived', 'departed') AND unit_kind IN ('train', 'vessel') AND classifier = 'actual' AND NOT retracted
        GROUP BY unit, event, place, time
    )
SELECT
    least(d.source, a.source) AS clock, greatest(d.source, a.source) AS against,
    if(to_clock, s.there, s.here) AS clock_place, if(to_clock, s.here, s.there) AS against_place,
    s.unit AS unit, s.unit_kind AS unit_kind, toBool(a.source < d.source) AS to_clock,
    assumeNotNull(s.departed) AS departed, assumeNotNull(s.next_arrived) AS arrived,
    assumeNotNull({{seconds "s.departed" "s.next_arrived"}}) AS running_s, toBool(running_s < 0) AS opposed
FROM stays AS s
GLOBAL INNER JOIN reports AS d ON d.unit = s.unit AND d.place = s.here AND d.time = s.departed AND d.event = 'departed'
GLOBAL INNER JOIN reports AS a ON a.unit = s.unit AND a.place = s.there AND a.time = s.next_arrived AND a.event = 'arrived'
WHERE s.departed_basis = 'report' AND s.next_basis = 'report' AND s.here != s.there AND d.source != a.source
    AND dictGetOrDefault('{{.Database}}.places', 'area', tuple(s.here), '') != ''
    AND dictGetOrDefault('{{.Database}}.places', 'area', tuple(s.here), '') = dictGetOrDefault('{{.Database}}.places', 'area', tuple(s.there), '-')
