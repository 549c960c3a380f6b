CREATE OR REPLACE VIEW {{.Database}}.v_tfi2
(
    {{period}}when the role was left (or the last payment, while it has not been)',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound: the border crossing point of the country that is left; inbound: that of the country that is entered',
    country LowCardinality(String) COMMENT 'ISO country code of the side',
    direction LowCardinality(String) COMMENT 'from_country-to_country: never add both directions up',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    currency LowCardinality(String) COMMENT 'ISO 4217: nothing is converted, compare rows of one currency only',
    n UInt64 COMMENT 'samples: passages of this side for which costs in this currency were sent',
    side_n UInt64 COMMENT 'passages of this side that were seen and have ended, with costs or without',
    coverage Nullable(Float64) COMMENT 'share of side_n with costs in this currency, from 0 to 1; NULL: side_n below {{minimum}}',
    mean Nullable(Float64) COMMENT 'mean of the cost of a passage, official and unofficial, in currency',
    median Nullable(Float64) COMMENT 'median of it, in currency; NULL: n below {{minimum}}',
    p95 Nullable(Float64) COMMENT '95th percentile of it, in currency; NULL: n below {{minimum}}',
    official_mean Nullable(Float64) COMMENT 'mean of its official part, in currency',
    unofficial_mean Nullable(Float64) COMMENT 'mean of its unofficial part, paid without a receipt, in currency: mean = official_mean + unofficial_mean'
)
COMMENT 'CAREC CPMM TFI2: mean cost, official and unofficial, at a border crossing point from entry to exit. Of events train.cost, vessel.cost and unit.cost whose place is a station of the side and that have no to_place; CPMM reports US$, here every currency is by itself.'
AS WITH
    sides AS (
        SELECT
            unit, unit_kind, journey, border, border_name, n, toString(role) AS role, toString(country) AS country, direction, places, candidate, isNotNull(side_s) AS ended,
            coalesce(entered, arrived, departed, left) AS came, coalesce(left, departed) AS went
        FROM {{.Database}}.crossing_sides
        WHERE notEmpty(places)
    ),
    paid AS (
        -- A payment belongs to the passage of that station it is nearest to.
        SELECT
            s.unit AS unit, s.unit_kind AS unit_kind, s.journey AS journey, s.border AS border, s.border_name AS border_name, s.n AS n, s.role AS role,
            s.country AS country, s.direction AS direction, coalesce(s.went, c.time) AS at, toString(c.currency) AS currency,
            -- Ten-thousandths: sums of whole numbers do not depend on their order.
            toInt128(round(assumeNotNull(c.amount) * 10000)) AS amount, c.official = 'unofficial' AS unofficial
        FROM {{.Database}}.v_events AS c
        INNER JOIN sides AS s ON s.unit = c.unit
        WHERE c.event = 'cost' AND NOT c.retracted AND c.classifier = 'actual' AND c.to_place = '' AND has(s.places, toString(c.place))
        ORDER BY greatest(0, dateDiff('millisecond', c.time, assumeNotNull(s.came)), ifNull(dateDiff('millisecond', s.went, c.time), 0)), journey, border, n, role
        LIMIT 1 BY c.source, c.id
    )
SELECT
    p.period AS period, p.border AS border, any(p.border_name) AS border_name, p.role AS role, any(p.country) AS country, p.direction AS direction,
    p.unit_kind AS unit_kind, p.currency AS currency, count() AS n, any(a.passages) AS side_n,
    {{enough "side_n" "round(countIf(p.ended) / side_n, 4)"}} AS coverage,
    round(sum(p.total) / n / 10000, 4) AS mean,
    {{enough "n" "round(quantileExactInclusive(0.5)(toFloat64(p.total)) / 10000, 4)"}} AS median,
    {{enough "n" "round(quantileExactInclusive(0.95)(toFloat64(p.total)) / 10000, 4)"}} AS p95,
    round(sum(p.official) / n / 10000, 4) AS official_mean, round(sum(p.total - p.official) / n / 10000, 4) AS unofficial_mean
FROM (
    SELECT {{periods "last"}} AS period, *
    FROM (
        SELECT
            unit, unit_kind, journey, border, any(q.border_name) AS border_name, n, role, any(q.country) AS country, any(q.direction) AS direction, currency,
            max(q.at) AS last, sum(q.amount) AS total, sumIf(q.amount, NOT q.unofficial) AS official,
            (unit, journey, border, n, role) IN (SELECT unit, journey, border, n, role FROM sides WHERE ended AND NOT candidate) AS ended
        FROM paid AS q
        GROUP BY unit, unit_kind, journey, border, n, role, currency
    )
) AS p
LEFT JOIN (
    SELECT {{periods "went"}} AS period, border, role, direction, unit_kind, count() AS passages
    FROM sides WHERE ended AND NOT candidate
    GROUP BY period, border, role, direction, unit_kind
) AS a ON a.period = p.period AND a.border = p.border AND a.role = p.role AND a.direction = p.direction AND a.unit_kind = p.unit_kind
GROUP BY p.period, p.border, p.role, p.direction, p.unit_kind, p.currency
