CREATE OR REPLACE VIEW {{.Database}}.v_tfi3
(
    {{period}}the last payment',
    from_place LowCardinality(String) COMMENT 'catalogue id of the place where the section begins',
    from_name String COMMENT 'its name',
    to_place LowCardinality(String) COMMENT 'catalogue id of the place where the section ends',
    to_name String COMMENT 'its name',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    currency LowCardinality(String) COMMENT 'ISO 4217: nothing is converted, compare rows of one currency only',
    km Nullable(Float64) COMMENT 'mean length of the section in the samples, km: as sent, else by the corridors of the catalogue, else by its sections',
    n UInt64 COMMENT 'samples: journeys over the section for which costs, weight and length are known',
    unweighed_n UInt64 COMMENT 'journeys with costs whose cargo weight or length is not known: not counted',
    coverage Nullable(Float64) COMMENT 'n / (n + unweighed_n), from 0 to 1; NULL: their sum below {{minimum}}',
    mean Nullable(Float64) COMMENT 'TFI3: mean cost for 20 tonnes over 500 km, official and unofficial, in currency; NULL: none',
    median Nullable(Float64) COMMENT 'median of it, in currency; NULL: n below {{minimum}}',
    p95 Nullable(Float64) COMMENT '95th percentile of it, in currency; NULL: n below {{minimum}}',
    unofficial_mean Nullable(Float64) COMMENT 'mean of its unofficial part, paid without a receipt, in currency; NULL: none'
)
COMMENT 'CAREC CPMM TFI3: mean cost of one corridor section for a unit of cargo of 20 t and a section of 500 km. Of events train.cost, vessel.cost and unit.cost with a to_place; CPMM reports US$, here every currency is by itself.'
AS WITH
    lengths AS (
        SELECT from_place, to_place, min(km) AS km
        FROM (
            SELECT a.1 AS from_place, b.1 AS to_place, abs(a.2 - b.2) AS km
            FROM (SELECT arrayZip(places, km) AS way, arrayJoin(way) AS a, arrayJoin(arrayMap(w -> w, way)) AS b FROM {{.Database}}.catalogue_corridors)
            WHERE a.1 != b.1
            UNION ALL
            SELECT s.1 AS from_place, s.2 AS to_place, km
            FROM (SELECT arrayJoin([(from_place, to_place), (to_place, from_place)]) AS s, km FROM {{.Database}}.catalogue_sections)
        )
        GROUP BY from_place, to_place
    ),
    paid AS (
        SELECT
            c.unit AS unit, c.unit_kind AS unit_kind, toString(c.place) AS from_place, toString(c.to_place) AS to_place, v.journey AS journey,
            c.time AS time, toString(c.currency) AS currency, toInt128(round(assumeNotNull(c.amount) * 10000)) AS amount, c.official = 'unofficial' AS unofficial,
            c.cost_km AS km, c.weight_t AS weight_t
        FROM (
            SELECT unit, unit_kind, place, to_place, time, currency, amount, official, cost_km, weight_t, source, id
            FROM {{.Database}}.v_events WHERE event = 'cost' AND NOT retracted AND classifier = 'actual' AND to_place != ''
        ) AS c
        -- A payment belongs to the journey that was at the beginning of the section nearest to it.
        LEFT JOIN (
            SELECT unit, place, journey, assumeNotNull(coalesce(departed, left, arrived, entered)) AS at FROM {{.Database}}.v_visits
            WHERE isNotNull(coalesce(departed, left, arrived, entered))
        ) AS v ON v.unit = c.unit AND v.place = c.place
        ORDER BY abs(dateDiff('millisecond', c.time, v.at)), v.journey
        LIMIT 1 BY c.source, c.id
    )
SELECT
    {{periods "last"}} AS period, from_place, {{place "from_place"}} AS from_name, to_place, {{place "to_place"}} AS to_name, unit_kind, currency,
    if(n = 0, NULL, round(avgIf(way, known), 3)) AS km, countIf(known) AS n, countIf(NOT known) AS unweighed_n,
    {{enough "n + unweighed_n" "round(n / (n + unweighed_n), 4)"}} AS coverage,
    if(n = 0, NULL, round(sumIf(toInt128(round(unit_cost * 10000)), known) / n / 10000, 4)) AS mean,
    {{enough "n" "round(quantileExactInclusiveIf(0.5)(unit_cost, known), 4)"}} AS median,
    {{enough "n" "round(quantileExactInclusiveIf(0.95)(unit_cost, known), 4)"}} AS p95,
    if(n = 0, NULL, round(sumIf(toInt128(round(unofficial_cost * 10000)), known) / n / 10000, 4)) AS unofficial_mean
FROM (
    SELECT
        unit_kind, unit, journey, p.from_place AS from_place, p.to_place AS to_place, currency, max(p.time) AS last,
        ifNull(max(p.km), any(l.km)) AS way, ifNull(max(p.weight_t), 0) AS tonnes, way > 0 AND tonnes > 0 AS known,
        if(known, sum(p.amount) / 10000 * 500 / way * 20 / tonnes, 0) AS unit_cost,
        if(known, sumIf(p.amount, p.unofficial) / 10000 * 500 / way * 20 / tonnes, 0) AS unofficial_cost
    FROM paid AS p
    LEFT JOIN lengths AS l ON l.from_place = p.from_place AND l.to_place = p.to_place
    GROUP BY unit_kind, unit, journey, from_place, to_place, currency
)
GROUP BY period, from_place, to_place, unit_kind, currency
