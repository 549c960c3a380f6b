CREATE OR REPLACE VIEW {{.Database}}.v_coverage
(
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound: the side that is left; inbound: the side that is entered',
    country LowCardinality(String) COMMENT 'ISO country code of the side',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    day Date COMMENT 'UTC day on which units came to the side (a side that was not seen: on which they left the outbound or reached the inbound one, which was); of hours_with_data the day itself',
    units UInt64 COMMENT 'units that came to the side on that day, those included of which only the other side was seen',
    seen_n UInt64 COMMENT 'of those: seen on this side',
    both_n UInt64 COMMENT 'of those: seen on both sides of the border',
    both_share Nullable(Float64) COMMENT 'both_n / units, from 0 to 1; NULL: units below {{minimum}}',
    candidate_n UInt64 COMMENT 'of units: not confirmed to cross yet (v_crossings.candidate). Those that end or are lost before are in no column',
    hours_with_data UInt64 COMMENT 'hours of the day, 0 to 24, in which a fix or a report came from a unit of this kind while it was on this side, one of those counted in units on this day or before; not plans, not what was taken back; containers and wagons: their own reports, what their train tells is in the row of trains'
)
COMMENT 'How much of what happened at a border was observed, by side and day: to be read beside every indicator of it. Days of which neither side of a border was observed have no row; one with hours and no units was heard of units that came on a day before.'
AS WITH sides AS (
    SELECT
        border, border_name, toString(role) AS role, toString(s.country) AS country, direction, unit_kind, unit, journey, n, candidate, notEmpty(s.places) AS seen,
        coalesce(entered, arrived, departed, left) AS came, coalesce(ended, if(state = 'closed', coalesce(left, departed, came), now)) AS went,
        -- Nobody told that it left: it is known by what came next, from elsewhere.
        left_basis = 'inferred' AND departed_basis != 'report' AS seen_elsewhere
    FROM {{.Database}}.crossing_sides AS s
    CROSS JOIN {{.Database}}.v_now AS t
)
SELECT
    border, any(c.border_name) AS border_name, role, any(c.country) AS country, direction, unit_kind, day,
    sum(c.units) AS units, sum(c.seen) AS seen_n, sum(c.both) AS both_n, {{enough "units" "round(both_n / units, 4)"}} AS both_share,
    sum(c.candidates) AS candidate_n, sum(c.hours) AS hours_with_data
FROM (
    SELECT border, border_name, role, country, direction, unit_kind, toDate(assumeNotNull(came)) AS day, 1 AS units, toUInt64(s.seen) AS seen,
        toUInt64(s.seen AND o.seen) AS both, toUInt64(candidate) AS candidates, 0 AS hours
    FROM sides AS s
    GLOBAL LEFT JOIN (
        SELECT unit, journey, border, n, role, toUInt8(seen) AS seen FROM sides
    ) AS o ON o.unit = s.unit AND o.journey = s.journey AND o.border = s.border AND o.n = s.n
        AND o.role = if(s.role = 'outbound', 'inbound', 'outbound')
    WHERE isNotNull(came)
    UNION ALL
    SELECT border, any(s.border_name) AS border_name, role, any(s.country) AS country, direction, unit_kind, toDate(h.time) AS day, 0 AS units, 0 AS seen,
        0 AS both, 0 AS candidates, uniqExact(toStartOfHour(h.time)) AS hours
    FROM (
        SELECT unit, time FROM {{.Database}}.v_positions
        UNION ALL
        SELECT unit, time FROM {{.Database}}.v_events
        WHERE classifier = 'actual' AND NOT retracted AND event NOT IN ('planned', 'retracted')
    ) AS h
    GLOBAL INNER JOIN sides AS s ON s.unit = h.unit
    WHERE s.seen AND h.time >= s.came AND (h.time < s.went OR h.time = s.went AND NOT s.seen_elsewhere)
    GROUP BY border, role, direction, unit_kind, day
) AS c
GROUP BY border, role, direction, unit_kind, day
