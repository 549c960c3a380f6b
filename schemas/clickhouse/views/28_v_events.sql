CREATE OR REPLACE VIEW {{.Database}}.v_events
(
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    event LowCardinality(String) COMMENT 'arrived, departed, passed, planned, composition, ended, held, resumed, handover, loaded, unloaded, activity, milestone, cost, retracted; fixes are in v_positions',
    time {{time}} COMMENT 'when it happened, UTC',
    offset_min Int16 COMMENT 'offset from UTC the sender wrote, minutes',
    classifier LowCardinality(String) COMMENT 'actual: a fact; estimated or planned: what somebody expects',
    place LowCardinality(String) COMMENT 'catalogue id of the place; empty: none given',
    place_name String COMMENT 'name of the place',
    planned_time Nullable({{time}}) COMMENT 'of arrived, departed, passed: the time planned for it, UTC',
    stops Array(Tuple(place String, arrival Nullable({{time}}), departure Nullable({{time}}))) COMMENT 'of planned: stops in order',
    destination LowCardinality(String) COMMENT 'of planned: catalogue id of the destination',
    exit_border LowCardinality(String) COMMENT 'of planned: border the train is to leave by',
    op LowCardinality(String) COMMENT 'of composition: set, add or remove; else none',
    items Array(Tuple(wagon String, container String, loaded String, consignment String)) COMMENT 'of composition: an element a container, and one for a wagon without',
    continued_by String COMMENT 'of ended: run under which the train goes on',
    bound_for LowCardinality(String) COMMENT 'of held, resumed: border it is held back from',
    border LowCardinality(String) COMMENT 'of handover: border',
    counterpart LowCardinality(String) COMMENT 'of handover: the neighbouring railway',
    vehicle String COMMENT 'of loaded, unloaded: run or voyage',
    vehicle_kind LowCardinality(String) COMMENT 'of loaded, unloaded: train or vessel; else none',
    activity LowCardinality(String) COMMENT 'of activity: code, such as customs or gauge_change',
    step LowCardinality(String) COMMENT 'of activity: started, finished, held, released; of handover: offered, accepted, refused, returned; else none',
    party LowCardinality(String) COMMENT 'of activity: who does it or causes it',
    cause LowCardinality(String) COMMENT 'of activity, held, handover: code of the cause',
    milestone LowCardinality(String) COMMENT 'of milestone: booked, gate_in, departed, arrived, gate_out, delivered',
    amount Nullable(Float64) COMMENT 'of cost: money, in currency; NULL: no cost',
    currency LowCardinality(String) COMMENT 'of cost: ISO 4217; never add amounts of different currencies up',
    official LowCardinality(String) COMMENT 'of cost: official; unofficial: paid without a receipt; unknown: not said, counts as official',
    cost_kind LowCardinality(String) COMMENT 'of cost: code of what it was paid for',
    to_place LowCardinality(String) COMMENT 'of cost: catalogue id of the end of the way it was paid for, which begins at place; empty: paid at place',
    cost_km Nullable(Float64) COMMENT 'of cost: length of that way as sent, km; NULL: not said',
    weight_t Nullable(Float64) COMMENT 'of cost: weight of the cargo it was paid for, tonnes; NULL: not said',
    retracts_type LowCardinality(String) COMMENT 'of retracted: type of the event taken back',
    retracts_id String COMMENT 'of retracted: id of the event taken back, of the same source',
    retracted Bool COMMENT 'this event was taken back itself, or the one that implied it',
    source LowCardinality(String) COMMENT 'who sent it',
    id String COMMENT 'identifies the event within its source',
    implied_by String COMMENT 'id of the event of the same source that implied this one; empty: none',
    recorded_at Nullable({{time}}) COMMENT 'the sender''s own time of record, UTC',
    ingested_at Nullable({{time}}) COMMENT 'when it came in here, UTC',
    accepted_at Nullable({{time}}) COMMENT 'stage time at which it was accepted, UTC',
    late Bool COMMENT 'beyond the lateness (72 h) when it came: stored, not counted in results'
)
COMMENT 'Every report as it came, but for fixes: what was said, by whom and when, those taken back included (retracted).'
AS
{{- range $i, $table := tables "train_events" "unit_events"}}{{if $i}}
UNION ALL
{{- end}}
SELECT
    t.subject AS unit, t.unit_kind AS unit_kind, t.verb AS event, t.time AS time, t.offset_min AS offset_min, t.classifier AS classifier,
    t.place AS place, {{place "t.place"}} AS place_name, {{known "t.planned_time"}} AS planned_time,
    arrayMap((p, a, d) -> (toString(p), {{known "a"}}, {{known "d"}}), t.stop_place, t.stop_arrival, t.stop_departure) AS stops,
    t.destination AS destination, t.exit_border AS exit_border, t.op AS op,
    arrayMap((w, c, l, g) -> (w, c, toString(l), g), t.item_wagon, t.item_container, t.item_loaded, t.item_consignment) AS items,
    t.continued_by AS continued_by, t.bound_for AS bound_for, t.border AS border, t.counterpart AS counterpart,
    t.vehicle AS vehicle, t.vehicle_kind AS vehicle_kind, t.activity AS activity,
    if(t.verb = 'handover', toString(t.handover_state), toString(t.activity_state)) AS step,
    t.party AS party, t.cause AS cause, t.milestone AS milestone,
    if(isNaN(t.amount), NULL, t.amount) AS amount, t.currency AS currency, t.official AS official, t.cost_kind AS cost_kind, t.to_place AS to_place,
    if(isNaN(t.km), NULL, t.km) AS cost_km, if(isNaN(t.weight_t), NULL, t.weight_t) AS weight_t, t.retracts_type AS retracts_type, t.retracts_id AS retracts_id,
    toBool((t.source, t.id) GLOBAL IN (SELECT source, retracts_id FROM {{from $table}} FINAL WHERE verb = 'retracted')
        OR t.implied_by != '' AND (t.source, t.implied_by) GLOBAL IN (SELECT source, retracts_id FROM {{from $table}} FINAL WHERE verb = 'retracted')) AS retracted,
    t.source AS source, t.id AS id, t.implied_by AS implied_by,
    {{known "t.recorded_at"}} AS recorded_at, {{known "t.ingested_at"}} AS ingested_at, {{known "t.accepted_at"}} AS accepted_at, t.late AS late
FROM {{from $table}} AS t FINAL
WHERE t.verb != 'position'
{{- end}}
