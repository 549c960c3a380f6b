CREATE OR REPLACE VIEW {{.Database}}.v_train_links
(
    run_a String COMMENT 'run or voyage that containers came from',
    run_b String COMMENT 'run or voyage they went to next',
    unit_kind LowCardinality(String) COMMENT 'always container: wagons stay on their gauge and say nothing beyond it',
    place LowCardinality(String) COMMENT 'catalogue id of the place where they changed; where a train only takes another name between two places, the second',
    place_name String COMMENT 'name of the place',
    containers_a UInt64 COMMENT 'containers that run_a ever carried, by what holds in the end',
    containers_b UInt64 COMMENT 'containers that run_b ever carried, or is to',
    common UInt64 COMMENT 'containers that went from run_a to run_b, with no run between: from when a list of run_b names them, though it may not have departed',
    share_of_a Float64 COMMENT 'common / containers_a, from 0 to 1',
    share_of_b Float64 COMMENT 'common / containers_b, from 0 to 1',
    jaccard Float64 COMMENT 'common / (containers_a + containers_b - common), from 0 to 1',
    first_at {{time}} COMMENT 'the first of them came to run_b, UTC',
    between_h Nullable(Float64) COMMENT 'off run_a to on run_b, median of the containers, hours; where the name changes between two places the running time; negative by clocks that oppose',
    told Bool COMMENT 'somebody said so: run_a ended and named run_b as continued_by',
    confidence LowCardinality(String) COMMENT 'high: the train goes on (jaccard 0.8 or more, 72 h or less between); part: split or joined (half of run_a or of run_b); low: less, such as a container left behind'
)
COMMENT 'Which run a train goes on as: two identities one behind the other, linked by the containers they have in common (overlap, place and time), whether or not somebody told. A link that was told without any list of containers is not here: v_events, continued_by.'
AS WITH
{{rides "unit_kind = 'container'"}},
    changes AS (
        SELECT unit, pair.1.run AS run_a, pair.2.run AS run_b, pair.1.until AS off_at, pair.2.since AS on_at, pair.2.place AS place
        FROM rides
        ARRAY JOIN arrayZip(arrayPopBack(runs), arrayPopFront(runs)) AS pair
        WHERE pair.1.run != pair.2.run
    ),
    carried AS (SELECT ride.run AS run, uniqExact(unit) AS containers FROM rides ARRAY JOIN runs AS ride GROUP BY run),
    told_of AS (SELECT DISTINCT unit, continued_by FROM {{.Database}}.v_events WHERE event = 'ended' AND classifier = 'actual' AND NOT retracted AND continued_by != '')
SELECT
    c.run_a AS run_a, c.run_b AS run_b, 'container' AS unit_kind,
    argMax(c.place, (c.on_at, c.place)) AS place, {{place "place"}} AS place_name,
    any(ca.containers) AS containers_a, any(cb.containers) AS containers_b, uniqExact(c.unit) AS common,
    round(common / containers_a, 4) AS share_of_a, round(common / containers_b, 4) AS share_of_b,
    round(common / (containers_a + containers_b - common), 4) AS jaccard,
    assumeNotNull(min(c.on_at)) AS first_at,
    round(quantileExactInclusiveOrNullIf(0.5)(dateDiff('second', assumeNotNull(c.off_at), assumeNotNull(c.on_at)), isNotNull(c.off_at)) / 3600, 4) AS between_h,
    toBool((run_a, run_b) GLOBAL IN (SELECT unit, continued_by FROM told_of)) AS told,
    multiIf(jaccard >= 0.8 AND ifNull(between_h <= 72, false), 'high', share_of_a >= 0.5 OR share_of_b >= 0.5, 'part', 'low') AS confidence
FROM changes AS c
GLOBAL INNER JOIN carried AS ca ON ca.run = c.run_a
GLOBAL INNER JOIN carried AS cb ON cb.run = c.run_b
GROUP BY c.run_a, c.run_b
