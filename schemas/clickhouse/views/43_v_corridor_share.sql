CREATE OR REPLACE VIEW {{.Database}}.v_corridor_share
(
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: shares are within one kind',
    corridor LowCardinality(String) COMMENT 'corridor; empty: not known, or several fit',
    corridor_name String COMMENT 'name of the corridor',
    through_central_asia Bool COMMENT 'the corridor leads through Central Asia',
    n UInt64 COMMENT 'journeys on this corridor; of trains: runs',
    planned_n UInt64 COMMENT 'of those: by the plan; the others: by the places seen',
    share Nullable(Float64) COMMENT 'n / total_n, from 0 to 1; NULL: total_n below {{minimum}}',
    central_asia_n UInt64 COMMENT 'journeys of this kind on all corridors through Central Asia',
    central_asia_share Nullable(Float64) COMMENT 'central_asia_n / total_n, from 0 to 1; NULL: total_n below {{minimum}}',
    total_n UInt64 COMMENT 'journeys of this kind on all corridors, the unknown included',
    coverage Nullable(Float64) COMMENT 'journeys of this kind whose corridor is known / total_n, from 0 to 1: shares of a poor coverage say little; NULL: total_n below {{minimum}}'
)
AS SELECT
    unit_kind, corridor, {{corridor "corridor"}} AS corridor_name, toBool(central) AS through_central_asia,
    count() AS n, countIf(basis = 'planned') AS planned_n,
    {{enough "total_n" "n / total_n"}} AS share,
    sum(if(central, n, 0)) OVER (PARTITION BY unit_kind) AS central_asia_n, {{enough "total_n" "central_asia_n / total_n"}} AS central_asia_share,
    sum(n) OVER (PARTITION BY unit_kind) AS total_n,
    {{enough "total_n" "sum(if(corridor = '', 0, n)) OVER (PARTITION BY unit_kind) / total_n"}} AS coverage
FROM (
    -- A journey belongs to the corridor most of its way is on; a plan counts more than what was observed.
    SELECT
        unit_kind, journey, argMax(way.corridor, (way.basis = 'planned', way.metres, way.corridor)) AS corridor,
        argMax(way.basis, (way.basis = 'planned', way.metres, way.corridor)) AS basis,
        dictGetOrDefault('{{.Database}}.corridors', 'through_central_asia', tuple(toString(corridor)), 0) = 1 AS central
    FROM (
        SELECT
            unit_kind, journey, if(corridor_basis = 'ambiguous', '', toString(l.corridor)) AS corridor, toString(corridor_basis) AS basis,
            if(corridor = '', -1, sum(toInt64(round(coalesce(km, 0) * 1000)))) AS metres
        FROM {{.Database}}.v_legs AS l
        GROUP BY unit_kind, journey, corridor, basis
    ) AS way
    GROUP BY unit_kind, journey
)
GROUP BY unit_kind, corridor, central
