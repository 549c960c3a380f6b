package clickhouse

// linePieces are what the views of corridors have in common: which corridors hold the way of a journey. Journeys are many and ways are
// few, since the containers of a train go one way: what a corridor has to do with a way is worked out once for each.
//
// A stop of a line is: place, position on the corridor, km from the origin, first and last number of its stay in the way.
const linePieces = `
{{define "corridor lines"}}    corridors AS (SELECT id, name, status, places, km FROM {{.Database}}.catalogue_corridors),
    journeys AS (
        SELECT
            unit_kind, unit, journey,
            arraySort(v -> (v.2, v.4), groupArray((toString(place), assumeNotNull(at), gone, n))) AS stays,
            arrayMap(v -> v.1, stays) AS way, arrayMap(v -> v.2, stays) AS came, arrayMap(v -> v.3, stays) AS went
        FROM (
            -- A place is passed in the middle of the way through its fence, as in legs: fences of neighbours may overlap.
            SELECT unit_kind, unit, journey, place, n,
                if(stopped, NULL, fromUnixTimestamp64Milli(intDiv(toUnixTimestamp64Milli(entered) + toUnixTimestamp64Milli(left), 2), 'UTC')) AS passed,
                coalesce(passed, arrived, entered, departed, left) AS at, coalesce(passed, departed, left) AS gone
            FROM {{.Database}}.v_visits
        )
        WHERE isNotNull(at)
        GROUP BY unit_kind, unit, journey
    ),
    fits AS (
        SELECT
            way, c.id AS corridor, c.name AS corridor_name, c.status AS status, c.places AS places, c.km AS km,
            arrayFilter(i -> has(places, way[i]), arrayEnumerate(way)) AS held, arrayMap(i -> indexOf(places, way[i]), held) AS positions,
            arraySort(positions) = positions AS up, max(length(held)) OVER (PARTITION BY way) AS most
        FROM (SELECT DISTINCT way FROM journeys) AS w CROSS JOIN corridors AS c
        WHERE has(places, way[1]) AND has(places, way[-1]) AND way[1] != way[-1] AND (up OR arrayReverseSort(positions) = positions)
    ),
    ways AS (
        SELECT
            way, corridor, corridor_name, status, places, if(up, 'up', 'down') AS direction,
            arrayMap(p -> (places[p], p, abs(km[p] - km[positions[1]]), held[indexOf(positions, p)], held[length(held) + 1 - indexOf(arrayReverse(positions), p)]),
                arrayDistinct(positions)) AS stops
        FROM fits WHERE length(held) = most
    ){{end}}
{{define "lines"}}    lines AS (
        SELECT
            w.corridor AS corridor, w.corridor_name AS corridor_name, w.direction AS direction, j.unit_kind AS unit_kind, j.unit AS unit, j.journey AS journey,
            j.way[1] AS origin, j.way[-1] AS destination, coalesce(j.went[w.stops[1].5], j.came[1]) AS origin_at,
            -- place, position, km, arrived, departed
            arrayMap(s -> (s.1, s.2, s.3, j.came[s.4], j.went[s.5]), w.stops) AS stops
        FROM journeys AS j
        GLOBAL INNER JOIN ways AS w ON w.way = j.way
    ){{end}}
`
