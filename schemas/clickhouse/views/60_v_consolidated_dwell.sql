CREATE OR REPLACE VIEW {{.Database}}.v_consolidated_dwell
(
    {{period}}arrival at the last place',
    origin LowCardinality(String) COMMENT 'catalogue id of the first place of the journeys',
    origin_name String COMMENT 'its name',
    last_place LowCardinality(String) COMMENT 'catalogue id of their destination',
    last_name String COMMENT 'its name',
    country LowCardinality(String) COMMENT 'ISO country code of the destination',
    landlocked Bool COMMENT 'a landlocked developing country, for which the report gives lead times',
    unit_kind LowCardinality(String) COMMENT 'container or wagon: never add them up',
    n UInt64 COMMENT 'journeys that have ended (delivered, gate out)',
    under_way_n UInt64 COMMENT 'journeys from origin last seen at this place and not ended: not counted',
    mean_d Nullable(Float64) COMMENT 'mean of the consolidated dwell, days; NULL: none',
    median_d Nullable(Float64) COMMENT 'median of the consolidated dwell, days; NULL: n below {{minimum}}',
    p95_d Nullable(Float64) COMMENT '95th percentile of the consolidated dwell, days; NULL: n below {{minimum}}',
    port_mean_d Nullable(Float64) COMMENT 'mean of its part at ports, days',
    inland_mean_d Nullable(Float64) COMMENT 'mean of its part at other places, days',
    lead_n UInt64 COMMENT 'of n: those that came through a port',
    lead_mean_d Nullable(Float64) COMMENT 'mean of the import corridor lead time (leaving the port of arrival to arriving at the destination), days; NULL: none',
    lead_median_d Nullable(Float64) COMMENT 'median of the import corridor lead time, days; NULL: lead_n below {{minimum}}',
    lead_p95_d Nullable(Float64) COMMENT '95th percentile of the import corridor lead time, days; NULL: lead_n below {{minimum}}'
)
COMMENT 'World Bank LPI 2023 consolidated dwell (sum of port and intermediate inland dwells) and import corridor lead time by origin and destination; v_journey_dwell has them container by container.'
AS SELECT
    {{periods "last_at"}} AS period, origin, {{place "origin"}} AS origin_name, last_place, {{place "last_place"}} AS last_name,
    any(last_country) AS country, toBool(any(j.landlocked)) AS landlocked, unit_kind,
    countIf(ended) AS n, countIf(NOT ended) AS under_way_n,
    if(n = 0, NULL, round(avgIf(all_s, ended) / 86400, 4)) AS mean_d,
    {{enough "n" (printf "round(%s / 86400, 4)" (quantile "0.5" "all_s" "ended"))}} AS median_d,
    {{enough "n" (printf "round(%s / 86400, 4)" (quantile "0.95" "all_s" "ended"))}} AS p95_d,
    if(n = 0, NULL, round(avgIf(port_s, ended) / 86400, 4)) AS port_mean_d, if(n = 0, NULL, round(avgIf(inland_s, ended) / 86400, 4)) AS inland_mean_d,
    countIf(ended AND isNotNull(lead_s)) AS lead_n,
    if(lead_n = 0, NULL, round(avgIf(lead_s, ended) / 86400, 4)) AS lead_mean_d,
    {{enough "lead_n" (printf "round(%s / 86400, 4)" (quantile "0.5" "lead_s" "ended AND isNotNull(lead_s)"))}} AS lead_median_d,
    {{enough "lead_n" (printf "round(%s / 86400, 4)" (quantile "0.95" "lead_s" "ended AND isNotNull(lead_s)"))}} AS lead_p95_d
FROM (
    -- Whole seconds again: sums of them do not depend on their order.
    SELECT *, toInt64(round(port_dwell_d * 86400)) AS port_s, toInt64(round(inland_dwell_d * 86400)) AS inland_s, port_s + inland_s AS all_s,
        toInt64(round(lead_time_d * 86400)) AS lead_s
    FROM {{.Database}}.v_journey_dwell
) AS j
WHERE isNotNull(last_at)
GROUP BY period, origin, last_place, unit_kind
