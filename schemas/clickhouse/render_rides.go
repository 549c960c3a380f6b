package clickhouse

// These are the words of views about which runs a wagon or container was on.

// rides are the runs a unit was on in a journey, one behind the other: that which brought it to a place, until when, and that which took it
// on, since when. Column runs is an array of (run, place, since, until).
func (c Config) rides(condition string) string {
	return `    rides AS (
        SELECT
            unit, journey,
            arrayFilter(r -> r.run != '', arrayFlatten(arrayMap(s -> [s.2, s.3], arraySort(s -> s.1, groupArray((
                (came, n),
                (vehicle_in, toString(place), came, gone_a)::Tuple(run String, place String, since Nullable(` + timeType + `), until Nullable(` + timeType + `)),
                (vehicle_out, toString(place), coalesce(on_at, came), gone_b)::Tuple(run String, place String, since Nullable(` + timeType + `), until Nullable(` + timeType + `)))))))) AS runs
        FROM (
            SELECT
                unit, journey, place, n, vehicle_in, if(vehicle_out = '', transfer_second, vehicle_out) AS vehicle_out,
                coalesce(` + known("arrived") + `, ` + known("entered") + `, ` + known("departed") + `, ` + known("left") + `) AS came, ` + known("transfer_on_at") + ` AS on_at,
                coalesce(` + known("departed") + `, ` + known("left") + `) AS gone_b, coalesce(` + known("transfer_off_at") + `, gone_b) AS gone_a
            FROM ` + c.from("visits") + ` FINAL
            WHERE ` + condition + `
        )
        WHERE isNotNull(came)
        GROUP BY unit, journey
    )`
}

// goneOn are the trains that go on under another name though nobody told that they ended: everything they carried went on with another
// run, and nothing was heard of them since, nor in the last hour: few trains have to be looked at so. The dwell stage cannot see that: what it knows of a run is under the run's name.
func (c Config) goneOn() string {
	return `    waiting AS (
        SELECT run, ` + known("seen_at") + ` AS seen_at FROM ` + c.from("train_status") + ` FINAL WHERE state IN ('open', 'silent') AND unit_kind = 'train' AND wagons + containers > 0
            AND seen_at < stage_time - INTERVAL 1 HOUR
    ),
` + c.rides(`unit_kind IN ('wagon', 'container') AND unit GLOBAL IN (
                SELECT unit FROM `+c.from("visits")+` WHERE unit_kind IN ('wagon', 'container') AND (
                    vehicle_in GLOBAL IN (SELECT run FROM waiting) OR vehicle_out GLOBAL IN (SELECT run FROM waiting) OR transfer_second GLOBAL IN (SELECT run FROM waiting)))`) + `,
    gone_on AS (
        SELECT run, argMax(next, (units, next)) AS goes_on_as, max(since) AS gone_at
        FROM (
            SELECT run, next, count() AS units, max(next_since) AS since
            FROM (
                SELECT arrayJoin(arrayDistinct(arrayMap(r -> r.run, runs))) AS run, arrayLastIndex(r -> r.run = run, runs) AS i,
                    if(i < length(runs), runs[i + 1].run, '') AS next, if(i < length(runs), runs[i + 1].since, NULL) AS next_since
                FROM rides
            )
            GROUP BY run, next
        )
        GROUP BY run
        HAVING countIf(next = '') = 0 AND run GLOBAL IN (SELECT run FROM waiting) -- of others not all that they carried was read
    )`
}
