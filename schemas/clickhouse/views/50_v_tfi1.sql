CREATE OR REPLACE VIEW {{.Database}}.v_tfi1
(
    {{period}}when the role was left',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound: the border crossing point of the country that is left; inbound: that of the country that is entered; pair: entry of the first to exit of the second, the run between them included',
    country LowCardinality(String) COMMENT 'ISO country code of the side; empty for pair',
    direction LowCardinality(String) COMMENT 'from_country-to_country: never add both directions up',
    unit_kind LowCardinality(String) COMMENT '{{kinds}}',
    n UInt64 COMMENT 'samples: trains and vessels each, of which entry and exit were told or seen by positions (a run that begins on the side: from when it was first heard of there); containers and wagons that arrived in one train are one sample (consist), whose value is the median of them',
    units UInt64 COMMENT 'trains, vessels, wagons or containers in those samples',
{{hours "" "TFI1, the time from the entry to the exit point of the border crossing point, formalities and waiting included"}}
    part_n UInt64 COMMENT 'of n: runs that begin on this side or ended there (of a pair: on either), as trains do where the gauge changes: parts of the stay of their load. How long cargo took there is told by unit_kind container',
    max_h Nullable(Float64) COMMENT 'the longest sample, hours; a sample is a consist, so one of its units may have taken longer',
    unseen_n UInt64 COMMENT 'samples that certainly crossed, but of which this side (of a pair: one of the two) was not seen from entry to exit, as where nobody told that it left and it was next heard of elsewhere: not in n. Trains taken over under another name have their sides in n and their pair here, once: only their containers have the whole',
    coverage Nullable(Float64) COMMENT 'n / (n + unseen_n), from 0 to 1; NULL: n + unseen_n below {{minimum}}',
    candidate_n UInt64 COMMENT 'samples not confirmed to cross, not in n: they left the outbound side and were not seen beyond the border yet, under this name or another (v_crossings.other_identity)'
)
COMMENT 'CAREC CPMM TFI1 (Trade Facilitation Indicator 1): mean time to move cargo across a border, from the entry to the exit point of each of the two countries'' border crossing points. CPMM publishes means in hours by side; median, 95th percentile and n stand beside them. No cap on long stays. Only stays that have ended. Where the gauge changes one train ends and another begins, so that the rows of trains are of parts of a stay there: use container where part_n > 0.'
AS SELECT
    {{periods "ended"}} AS period, border, any(s.name) AS border_name, role, any(s.country) AS country, direction, unit_kind,
    countIf(counted) AS n, sumIf(members, counted) AS units,
    if(n = 0, NULL, {{in_hours "avgIf(value_s, counted)"}}) AS mean_h,
    {{enough "n" (in_hours (quantile "0.5" "value_s" "counted"))}} AS median_h,
    {{enough "n" (in_hours (quantile "0.95" "value_s" "counted"))}} AS p95_h,
    countIf(counted AND part) AS part_n,
    if(n = 0, NULL, {{in_hours "maxIf(value_s, counted)"}}) AS max_h,
    countIf(NOT seen AND NOT candidate) AS unseen_n,
    {{enough "n + unseen_n" "round(n / (n + unseen_n), 4)"}} AS coverage,
    countIf(seen AND candidate) AS candidate_n
FROM (
    SELECT
        border, any(u.name) AS name, role, any(u.country) AS country, direction, unit_kind, seen, candidate, seen AND NOT candidate AS counted,
        count() AS members, max(u.part) AS part, max(u.at) AS ended, if(seen, {{quantile "0.5" "s" "isNotNull(s)"}}, 0) AS value_s
    FROM (
        SELECT
            border, border_name AS name, toString(role) AS role, toString(country) AS country, direction, unit_kind,
            if(consist = '', concat(unit, '|', journey, '|', toString(n)), consist) AS sample,
            if(observed, side_s, NULL) AS s, observed AS seen, candidate AND role = 'outbound' AND other_identity = '' AS candidate,
            begins_here OR ends_here AS part, coalesce(left, departed, entered, arrived) AS at
        FROM {{.Database}}.crossing_sides
        WHERE isNotNull(side_s) OR state = 'closed'
        UNION ALL
        SELECT
            border, border_name AS name, 'pair' AS role, '' AS country, direction, unit_kind,
            if(consist = '', concat(unit, '|', journey, '|', toString(n)), consist) AS sample,
            if(observed AND notEmpty(outbound_places) AND notEmpty(inbound_places), total_s, NULL) AS s, isNotNull(s) AS seen,
            -- A train that was taken over under another name counts with its inbound side, if that was told of.
            candidate AND notEmpty(outbound_places) AND (other_identity = '' OR (other_identity, border, direction) GLOBAL IN (
                SELECT unit, border, concat(from_country, '-', to_country) FROM {{from "crossings"}} FINAL WHERE candidate AND unit_kind IN ('train', 'vessel'))) AS candidate, part,
            coalesce(inbound_left, inbound_entered, outbound_left) AS at
        FROM {{.Database}}.v_crossings
        WHERE state = 'closed'
    ) AS u
    WHERE isNotNull(u.at)
    GROUP BY border, role, direction, unit_kind, sample, seen, candidate
) AS s
GROUP BY period, border, role, direction, unit_kind
