CREATE OR REPLACE VIEW {{.Database}}.v_crossings
(
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together; containers of one train are one consist',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    n UInt32 COMMENT 'an ordinal: first, second ... crossing of this border in this journey, from 1',
    from_country LowCardinality(String) COMMENT 'ISO code of the country it leaves',
    to_country LowCardinality(String) COMMENT 'ISO code of the country it enters',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    state LowCardinality(String) COMMENT 'open, silent, lost or closed',
    candidate Bool COMMENT 'only one side seen so far: plan, booking or the other side will confirm it, or the row goes; closed: a train that was handed over and goes on under another identity',
    other_identity String COMMENT 'of a train of which one side was seen under this name (candidate): the name it bears on the other side, by the containers that came over with both; empty: none known. Both rows are one train: do not add them up',
    part Bool COMMENT 'the run begins on one of the sides or ended there, as trains do where the gauge changes (v_crossing_sides says which): its times are a part of those of its load, for which ask unit_kind container',
    outbound_places Array(String) COMMENT 'places seen on the side that is left, in order',
    outbound_entered Nullable({{time}}) COMMENT 'entered the outbound side, or arrived there where nobody saw it enter, UTC',
    outbound_left Nullable({{time}}) COMMENT 'left the outbound side, or departed from it where that is all that was told, UTC',
    outbound_vehicles Array(String) COMMENT 'runs a load unit was on there, in order; empty for runs themselves',
    outbound_s Nullable(Int64) COMMENT 'outbound side from entry to exit, seconds; NULL while open, not seen, or not how it came there',
    running_between_s Nullable(Int64) COMMENT 'between the two sides, seconds; NULL until the inbound side is reached, or if the outbound side was not seen; negative by clocks that oppose',
    inbound_places Array(String) COMMENT 'places seen on the side that is entered, in order',
    inbound_entered Nullable({{time}}) COMMENT 'entered the inbound side, or arrived there where nobody saw it enter, UTC',
    inbound_left Nullable({{time}}) COMMENT 'left the inbound side, or departed from it where that is all that was told, UTC',
    inbound_vehicles Array(String) COMMENT 'runs a load unit was on there, in order; empty for runs themselves',
    inbound_s Nullable(Int64) COMMENT 'inbound side from entry to exit, seconds; NULL while open, not seen, or not how it came there',
    total_s Nullable(Int64) COMMENT 'first side entered to last side left, seconds; NULL while open. outbound_s, running_between_s and inbound_s are whole seconds each, so that their sum may be up to 2 s off',
    total_basis LowCardinality(String) COMMENT 'what total_s rests on: fence, report, mixed, inferred (as where the run begins on the first side)',
    observed Bool COMMENT 'both ends of total_s were told or seen by positions; false: open, or one end is only inferred from what was heard elsewhere (v_tfi1 leaves it out)',
    total_earliest_s Nullable(Int64) COMMENT 'total_s is not less than this, seconds; equal where it is exact',
    total_latest_s Nullable(Int64) COMMENT 'total_s is not more than this, seconds; equal where it is exact; NULL: nobody saw it come, so there is no bound',
    running_s Nullable(Int64) COMMENT 'while open or silent: v_now - entry of the first side, seconds; else NULL',
    gauge_break LowCardinality(String) COMMENT 'gauge break at this border; empty: none',
    gauge_change_s Int64 COMMENT 'gauge change, both sides, seconds; of sides that have ended: while open v_crossing_sides has it up to v_now',
    customs_s Int64 COMMENT 'customs, both sides, seconds; of sides that have ended: while open v_crossing_sides has it up to v_now',
    main_cause String COMMENT 'what took the most time on both sides, a code of v_events.activity; of sides that have ended: while open v_crossing_sides has it up to v_now; empty: nothing was told',
    handover_offered_at Nullable({{time}}) COMMENT 'first hand-over to the neighbouring railway offered, UTC; here and below also as said under other_identity',
    handover_accepted_at Nullable({{time}}) COMMENT 'acceptance that held: not refused or returned after it, UTC',
    handover_s Nullable(Int64) COMMENT 'first offer to the acceptance that held, seconds: beside the sides, not a part of them; negative by clocks that oppose',
    refused UInt32 COMMENT 'hand-overs refused or returned',
    refused_at Nullable({{time}}) COMMENT 'the last of them, UTC',
    refused_cause LowCardinality(String) COMMENT 'why, of the last of them: code of the cause as sent (v_events.cause); empty: none refused, or no cause was given',
    offered_again_at Nullable({{time}}) COMMENT 'first hand-over offered after that under the name that was refused, UTC: from here handover_s can be counted anew',
    approach_s Int64 COMMENT 'held upstream on the way to this border, seconds: beside total_s, not in it',
    norm_s Nullable(Int64) COMMENT 'norm of the catalogue for the whole stay on both sides, seconds; NULL: none, or the run begins or ended on one of them (part)',
    delay_norm_s Nullable(Int64) COMMENT 'delay against the norm, seconds; NULL: no norm_s, or open',
    plan_s Nullable(Int64) COMMENT 'planned time for the crossing, seconds; NULL: no plan',
    delay_plan_s Nullable(Int64) COMMENT 'delay against the plan, seconds; NULL: no plan, or open',
    consist String COMMENT 'wagons and containers: what arrived together: count consists, not containers, when comparing crossings; empty for trains and vessels, each of which is one',
    vehicle_in String COMMENT 'run or voyage that brought the unit to the border',
    vehicle_out String COMMENT 'run or voyage that took it on',
    corridor LowCardinality(String) COMMENT '{{journey_corridor}}',
    corridor_name String COMMENT 'name of the corridor',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'Border crossings, a row for each unit and passage from one country to the other. Trains end where the gauge changes: there their crossings are parts (column part), the whole is that of unit_kind container.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
{{run_ends}},
{{identities}},
    -- Why hand-overs were refused; FINAL reads no more than the trains that were.
    refusals AS (
        SELECT border, time, arraySort(s -> (s.2 = '', s.2, s.1), groupArray((subject, toString(cause)))) AS said
        FROM {{from "train_events"}} FINAL
        WHERE subject GLOBAL IN (SELECT subject FROM {{from "train_events"}} WHERE verb = 'handover' AND handover_state IN ('refused', 'returned'))
            AND verb = 'handover' AND handover_state IN ('refused', 'returned') AND classifier = 'actual' AND NOT late
            AND (source, id) GLOBAL NOT IN (SELECT source, retracts_id FROM {{from "train_events"}} FINAL WHERE verb = 'retracted')
        GROUP BY border, time
    )
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.border AS border, {{border "t.border"}} AS border_name, t.n AS n,
    t.from_country AS from_country, t.to_country AS to_country, concat(t.from_country, '-', t.to_country) AS direction,
    -- A crossing under way is as its unit is where it was last seen.
    multiIf(t.state != 'open', toString(t.state), t.inbound_state != 'none', toString(t.inbound_state),
        t.outbound_state IN ('silent', 'lost'), toString(t.outbound_state), 'open') AS status,
    if(status = 'closed' AND t.state = 'open', 'open', status) AS state, t.candidate AS candidate, {{other_identity}} AS other_identity,
    {{begins_here "outbound"}} OR {{begins_here "inbound"}} OR {{ends_here "outbound"}} OR {{ends_here "inbound"}} AS part,
{{- range sides}}
    t.{{.}}_places AS {{.}}_places, t.{{.}}_vehicles AS {{.}}_vehicles,
    {{side_entered .}} AS {{.}}_entered, {{side_left .}} AS {{.}}_left,
    if(t.{{.}}_state = 'closed' AND isNotNull({{.}}_left) AND isNotNull({{.}}_entered) AND notEmpty(t.{{.}}_places), t.{{.}}_seconds, NULL) AS {{.}}_s,
{{- end}}
    if(isNull(inbound_entered) OR isNull(outbound_left) OR empty(t.outbound_places), NULL, t.running_s) AS running_between_s,
    if(t.state = 'closed', nullIf(t.total_s, 0), NULL) AS total_s, 
    if(notEmpty(t.total_basis) AND {{begins_here "outbound"}}, 'inferred', toString(t.total_basis)) AS total_basis,
    isNotNull(total_s) AND {{began_observed "outbound"}} AND {{end_observed "inbound"}} AS observed,
    nullIf(t.total_earliest_s, 0) AS total_earliest_s, if({{begins_here "outbound"}}, NULL, nullIf(t.total_latest_s, 0)) AS total_latest_s,
    if(state IN ('open', 'silent'), greatest(0, {{seconds "coalesce(outbound_entered, inbound_entered)" "stage_time"}}), NULL) AS running_s,
    t.gauge_break AS gauge_break, t.gauge_change_s AS gauge_change_s, t.customs_s AS customs_s,
    arraySort(c -> (-c.2, c.1), arrayMap(k -> (k, arraySum((c, s) -> if(c = k, s, 0), arrayConcat(t.outbound_cause, t.inbound_cause), arrayConcat(t.outbound_cause_s, t.inbound_cause_s))),
        arrayDistinct(arrayMap(c -> toString(c), arrayConcat(t.outbound_cause, t.inbound_cause)))))[1].1 AS main_cause,
    -- The other name of the train counts as one with it: offered under one, accepted under the other.
    other_identity != '' AND i.told AS joined,
    arrayMin(arrayFilter(at -> toUnixTimestamp64Milli(at) != 0, [t.offered_at, if(joined, i.offered_at, t.offered_at)])) AS first_offer,
    greatest(t.refused_at, if(joined, i.refused_at, t.refused_at)) AS last_refusal,
    arrayMin(arrayFilter(at -> at > last_refusal, [t.accepted_at, if(joined, i.accepted_at, t.accepted_at)])) AS held_acceptance,
    arrayMin(arrayFilter(at -> at > last_refusal, [t.offered_again_at, if(joined, i.offered_again_at, t.offered_again_at)])) AS next_offer,
    {{known "first_offer"}} AS handover_offered_at, {{known "held_acceptance"}} AS handover_accepted_at,
    {{seconds "handover_offered_at" "handover_accepted_at"}} AS handover_s, t.refused + if(joined, i.refused, 0) AS refused,
    {{known "last_refusal"}} AS refused_at, arrayFirst(s -> s.1 = t.unit OR s.1 = other_identity OR has(t.outbound_vehicles, s.1) OR has(t.inbound_vehicles, s.1), f.said).2 AS refused_cause,
    {{known "next_offer"}} AS offered_again_at, t.approach_s AS approach_s,
    if(t.has_norm AND NOT part, t.norm_s, NULL) AS norm_s, total_s - norm_s AS delay_norm_s,
    if(t.has_plan, t.plan_s, NULL) AS plan_s, if(t.has_plan AND isNotNull(total_s), t.delay_plan_s, NULL) AS delay_plan_s,
    t.consist AS consist, t.vehicle_in AS vehicle_in, t.vehicle_out AS vehicle_out,
    {{clear_corridor}} AS corridor, {{corridor "corridor"}} AS corridor_name, t.area AS area, t.known_at AS known_at
FROM {{from "crossings"}} AS t FINAL
GLOBAL ANY LEFT JOIN run_ends AS r ON r.unit = t.unit
GLOBAL ANY LEFT JOIN identities AS i ON i.unit = t.unit AND i.border = t.border AND i.direction = concat(t.from_country, '-', t.to_country)
GLOBAL ANY LEFT JOIN refusals AS f ON f.border = t.border AND f.time = greatest(t.refused_at, if(t.candidate, i.refused_at, t.refused_at))
