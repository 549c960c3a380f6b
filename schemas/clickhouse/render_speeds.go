package clickhouse

// speedPieces are what the views of SWD and SWOD have in common: they sum up legs, rows l of v_legs, over other groups. Metres are
// summed whole, so that the order of the rows cannot show in the last digits. By clocks that oppose a leg may arrive before it departed:
// it has no time in motion, and its length counts for SWD alone.
const speedPieces = `
{{define "speeds"}}    countIf(isNotNull(l.km)) AS n, uniqExactIf((l.unit, l.journey), isNotNull(l.km)) AS journeys, countIf(isNull(l.km)) AS unknown_n,
    countIf(isNotNull(l.km) AND l.moving_s <= 0) AS opposed_n,
    sumIf(toInt64(round(assumeNotNull(l.km) * 1000)), isNotNull(l.km)) AS metres, sumIf(l.elapsed_s, isNotNull(l.km)) AS elapsed,
    sumIf(toInt64(round(assumeNotNull(l.km) * 1000)), isNotNull(l.km) AND l.moving_s > 0) AS moved, sumIf(l.moving_s, isNotNull(l.km) AND l.moving_s > 0) AS moving,
    round(metres * 3.6 / if(elapsed > 0, elapsed, NULL), 4) AS swd_kmh, round(moved * 3.6 / nullIf(moving, 0), 4) AS swod_kmh,{{end}}
{{define "speed columns"}}    n UInt64 COMMENT 'legs counted: those that were completed and whose length the catalogue knows; of containers and wagons each by itself',
    journeys UInt64 COMMENT 'journeys they belong to',
    unknown_n UInt64 COMMENT 'completed legs whose length the catalogue does not know: not counted',
    opposed_n UInt64 COMMENT 'of n: by clocks that oppose it arrived when or before it had departed: in SWD, not in moving_h and SWOD',
    km Float64 COMMENT 'sum of the lengths, km',
    elapsed_h Float64 COMMENT 'sum of the time from arrival to arrival, stops and border crossings included, hours',
    moving_h Float64 COMMENT 'of that: in motion, of n - opposed_n legs, hours',
    swd_kmh Nullable(Float64) COMMENT 'SWD (CPMM TFI4), speed with delay: km / elapsed_h, km/h; NULL: elapsed_h is not positive, by clocks that oppose',
    swod_kmh Nullable(Float64) COMMENT 'SWOD, speed without delay: km / moving_h over the legs of moving_h, km/h; NULL: all of them are opposed_n'{{end}}
`
