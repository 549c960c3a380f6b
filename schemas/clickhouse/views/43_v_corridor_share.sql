CREATE OR REPLACE VIEW {{.Database}}.v_corridor_share
(
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: shares are within one kind',
    corridor LowCardinality(String) COMMENT 'the corridor most of the journey is on (its km, a plan before what was observed): of v_legs.corridor, so empty where it is not known or several fit',
    corridor_name String COMMENT 'name of the corridor',
    through_central_asia Nullable(Bool) COMMENT 'the corridor leads through Central Asia; NULL where corridor is empty',
    n UInt64 COMMENT 'journeys on this corridor; of trains: runs',
    planned_n UInt64 COMMENT 'of those: by the plan; the others: by the places seen',
    share Nullable(Float64) COMMENT 'n / total_n, from 0 to 1; NULL: total_n below {{minimum}}',
    central_asia_n UInt64 COMMENT 'journeys of this kind through Central Asia: whose corridor leads through it, or that were in KZ, KG, TJ, TM or UZ whatever their corridor',
    undecided_n UInt64 COMMENT 'journeys of this kind whose corridor is not known and that were not seen in Central Asia: they may have been bound for it or not, and are not in central_asia_n',
    central_asia_share Nullable(Float64) COMMENT 'central_asia_n / (total_n - undecided_n), from 0 to 1; NULL: total_n - undecided_n below {{minimum}}',
    total_n UInt64 COMMENT 'journeys of this kind on all corridors, the unknown included',
    coverage Nullable(Float64) COMMENT 'journeys of this kind whose corridor is known / total_n, from 0 to 1: shares of a poor coverage say little; NULL: total_n below {{minimum}}'
)
COMMENT 'How journeys divide among corridors, over all time; wagons and containers each by itself.'
AS SELECT
    unit_kind, corridor, {{corridor "corridor"}} AS corridor_name, if(corridor = '', NULL, toBool(leads)) AS through_central_asia,
    count() AS n, countIf(basis = 'planned') AS planned_n,
    {{enough "total_n" "n / total_n"}} AS share,
    sum(countIf(leads OR there)) OVER (PARTITION BY unit_kind) AS central_asia_n, sum(countIf(corridor = '' AND NOT there)) OVER (PARTITION BY unit_kind) AS undecided_n,
    sum(n) OVER (PARTITION BY unit_kind) AS total_n, {{enough "total_n - undecided_n" "round(central_asia_n / (total_n - undecided_n), 4)"}} AS central_asia_share,
    {{enough "total_n" "sum(if(corridor = '', 0, n)) OVER (PARTITION BY unit_kind) / total_n"}} AS coverage
FROM (
    -- A journey belongs to the corridor most of its way is on; a plan counts more than what was observed.
    SELECT
        unit_kind, journey, argMax(way.corridor, (way.basis = 'planned', way.metres, way.corridor)) AS corridor,
        argMax(way.basis, (way.basis = 'planned', way.metres, way.corridor)) AS basis,
        dictGetOrDefault('{{.Database}}.corridors', 'through_central_asia', tuple(toString(corridor)), 0) = 1 AS leads, max(way.there) AS there
    FROM (
        SELECT
            unit_kind, journey, toString(l.corridor) AS corridor, toString(corridor_basis) AS basis,
            max(l.from_country IN ('KZ', 'KG', 'TJ', 'TM', 'UZ') OR l.to_country IN ('KZ', 'KG', 'TJ', 'TM', 'UZ')) AS there,
            if(corridor = '', -1, sum(toInt64(round(coalesce(km, 0) * 1000)))) AS metres
        FROM {{.Database}}.v_legs AS l
        GROUP BY unit_kind, journey, corridor, basis
    ) AS way
    GROUP BY unit_kind, journey
)
GROUP BY unit_kind, corridor, leads
