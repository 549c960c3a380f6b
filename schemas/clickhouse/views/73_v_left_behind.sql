CREATE OR REPLACE VIEW {{.Database}}.v_left_behind
(
    unit String COMMENT 'container',
    unit_kind LowCardinality(String) COMMENT 'always container',
    journey String COMMENT 'journey of the container',
    place LowCardinality(String) COMMENT 'catalogue id of the place it was left at',
    place_name String COMMENT 'name of the place',
    arrived_with String COMMENT 'run or voyage that brought it, with the others',
    arrived Nullable({{time}}) COMMENT 'when, UTC',
    off_at Nullable({{time}}) COMMENT 'taken off it; NULL: still on it, UTC',
    rest_left_as String COMMENT 'run or voyage that took on most of those that came with it',
    rest_n UInt64 COMMENT 'how many',
    of_n UInt64 COMMENT 'of how many that came together and change here',
    rest_departed Nullable({{time}}) COMMENT 'when they departed, UTC',
    forwarded_with String COMMENT 'run or voyage that took this one on; empty: none yet',
    on_at Nullable({{time}}) COMMENT 'put on it; NULL: not yet, UTC',
    departed Nullable({{time}}) COMMENT 'when it departed; NULL: still here, UTC',
    left_behind_s Int64 COMMENT 'departure of the rest to its own departure, while it is here to v_now, seconds',
    main_cause String COMMENT 'cause with the most of its seconds from arrival to departure; empty: none',
    state LowCardinality(String) COMMENT 'open: still here; closed'
)
COMMENT 'Containers that came on one train with others and go on later than these: at least half of those that came together departed with another train, and this one did not.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
    changed AS (SELECT * FROM {{.Database}}.v_transfers WHERE unit_kind = 'container'),
    rest AS (
        -- Of those that one train brought to a place: with which train the most went on.
        SELECT
            place, first_vehicle, sum(units) AS of_n,
            argMax(second_vehicle, (second_vehicle != '', units, second_vehicle)) AS most, argMax(units, (second_vehicle != '', units, second_vehicle)) AS most_n,
            argMax((left_at,), (second_vehicle != '', units, second_vehicle)).1 AS most_left_at
        FROM (
            SELECT place, first_vehicle, second_vehicle, uniqExact(unit) AS units, max(departed) AS left_at
            FROM changed GROUP BY place, first_vehicle, second_vehicle
        )
        GROUP BY place, first_vehicle
    )
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.place AS place, t.place_name AS place_name, t.first_vehicle AS arrived_with,
    t.arrived AS arrived, t.off_at AS off_at, r.most AS rest_left_as, r.most_n AS rest_n, r.of_n AS of_n, r.most_left_at AS rest_departed,
    t.second_vehicle AS forwarded_with, t.on_at AS on_at, t.departed AS departed,
    ifNull({{seconds "rest_departed" "coalesce(departed, stage_time)"}}, 0) AS left_behind_s, t.main_cause AS main_cause, t.state AS state
FROM changed AS t
GLOBAL INNER JOIN rest AS r ON r.place = t.place AND r.first_vehicle = t.first_vehicle
WHERE r.most != '' AND t.second_vehicle != r.most AND r.most_n * 2 >= r.of_n AND r.most_left_at < coalesce(t.departed, stage_time)
