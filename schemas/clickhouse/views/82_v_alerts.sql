CREATE OR REPLACE VIEW {{.Database}}.v_alerts
(
    fingerprint String COMMENT 'of what and where, never of values or times: the same cause has the same one each time',
    kind LowCardinality(String) COMMENT 'feed_silent: nothing is heard of an area; closure: nothing moves where a closure is declared; nothing_moving: trains wait and none goes on; growing_queue: more come than go on; level_shift: stays have become longer; below_plan: fewer cross than agreed; overdue: a train waits too long; anomalous: it did, which was learned afterwards; train_silent: nothing is heard of it',
    severity LowCardinality(String) COMMENT 'info: to look at some time; ticket: to act on within the shift; page: to act on now. It never becomes milder while it fires',
    firing Bool COMMENT 'it goes on',
    since Nullable({{time}}) COMMENT 'when what it tells of began, UTC',
    updated Nullable({{time}}) COMMENT 'stage time at which it was last told, UTC: summary and value are of then, or of the last time before it ended. When it began to fire: the first row of alerts_history',
    resolved Nullable({{time}}) COMMENT 'stage time at which it ended, UTC; NULL: it fires',
    revision UInt32 COMMENT '1 when it began to fire, counted up each time it was told',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    border LowCardinality(String) COMMENT 'catalogue id of the border; empty: none',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound or inbound: the side; empty: both',
    direction LowCardinality(String) COMMENT 'from_country-to_country; empty: both, or a place',
    place LowCardinality(String) COMMENT 'catalogue id of the place, where it is about none of a border',
    place_name String COMMENT 'name of the place',
    corridors Array(String) COMMENT 'corridors that lead there',
    unit String COMMENT 'the train, if it is about one',
    unit_kind LowCardinality(String) COMMENT 'what waits: train, vessel, wagon or container; none: a feed',
    summary String COMMENT 'what is the matter, in a line',
    value Float64 COMMENT 'how bad it is: hours waited, trains waiting, trains a day; as the summary says',
    baseline Float64 COMMENT 'what that is held against, in the same; of feed_silent how many arrivals and departures were to be heard of, of nothing_moving how many trains should have gone on',
    baseline_basis LowCardinality(String) COMMENT 'usual: the 28 days before; norm: the catalogue; plan: the agreed exchange; none',
    evidence String COMMENT 'what it rests on, for people',
    restriction String COMMENT 'what was declared for the border and is in force; empty: nothing',
    cause String COMMENT 'fingerprint of the alert it became a part of, if that ended it',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'Alerts, the latest version of each; alerts_history keeps every version.'
AS SELECT
{{template "alert"}}
FROM {{from "alerts"}} AS t FINAL
