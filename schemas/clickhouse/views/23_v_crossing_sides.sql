CREATE OR REPLACE VIEW {{.Database}}.v_crossing_sides
(
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    n UInt32 COMMENT 'an ordinal: first, second ... crossing of this border in this journey, from 1',
    role LowCardinality(String) COMMENT 'outbound: the side that is left; inbound: the side that is entered',
    country LowCardinality(String) COMMENT 'ISO country code of the side',
    from_country LowCardinality(String) COMMENT 'ISO code of the country it leaves',
    to_country LowCardinality(String) COMMENT 'ISO code of the country it enters',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    places Array(String) COMMENT 'places of the side that were seen, in order',
{{columns "entered" "into the side"}}
{{columns "arrived" "first stand on the side; where the run begins here: when it was first heard of, basis inferred"}}
{{columns "departed" "end of the last stand on the side"}}
{{columns "left" "out of the side; NULL where it has no fence: then it ended with departed"}}
    began Nullable({{time}}) COMMENT 'what side_s is measured from: entered, or arrived where nobody saw it enter, UTC',
    ended Nullable({{time}}) COMMENT 'what side_s is measured to: left, or departed where that is all that was told, UTC; NULL while open. v_crossings has these two as outbound_entered, outbound_left ...',
    state LowCardinality(String) COMMENT 'open, silent, lost or closed',
    candidate Bool COMMENT 'the crossing is not confirmed yet',
    begins_here Bool COMMENT 'the run begins on this side, as trains do where the gauge changes: nobody saw it come, and what it carries was here before',
    ends_here Bool COMMENT 'the run ended on this side: what it carried is still here, or left with another. A side where it begins or ends is a part of the stay of its load: for that ask unit_kind container. Always false for wagons and containers',
    other_identity String COMMENT 'of a train that bears another name beyond the border, where this side was seen alone: that name, by the containers that came over with both; empty: none known. Both are one train: do not add them up',
    side_s Nullable(Int64) COMMENT 'entered (or arrived) to left (or departed), seconds; ended - began to the second; NULL while open, if no place of the side was seen, or not how it came there',
    observed Bool COMMENT 'both ends of side_s were told or seen by positions; false: open, or one end is only inferred from what was heard elsewhere, so that side_s says no more than between which reports it was here (v_tfi1 leaves it out)',
    running_s Nullable(Int64) COMMENT 'while open or silent: v_now - began, seconds; else NULL',
    gauge_break LowCardinality(String) COMMENT 'gauge break at this border; empty: none',
    customs_s Int64 COMMENT 'customs, seconds; here and below while the side is open or silent up to v_now',
    gauge_change_s Int64 COMMENT 'gauge change, seconds',
    other_s Int64 COMMENT 'explained by other activities, seconds. One second may count in several of customs_s, gauge_change_s and this: see overlap_s',
    causes Array(Tuple(cause String, seconds Int64)) COMMENT 'all activities by their code, each with all its seconds; what goes on counts up to v_now, what was held before the border does not',
    main_cause String COMMENT 'of causes the one with the most seconds, a code of v_events.activity; empty: none',
    overlap_s Int64 COMMENT 'by how much causes overlap, seconds: sum of causes - overlap_s + unexplained_s = side_s, or running_s while open or silent',
    unexplained_s Int64 COMMENT 'explained by nothing that was reported, seconds',
    norm_s Nullable(Int64) COMMENT 'norm of the catalogue for the whole stay on this side in this direction, seconds; NULL: none, or the run begins or ended here',
    delay_norm_s Nullable(Int64) COMMENT 'side_s - norm_s, seconds; NULL: no norm_s, or open',
    running_delay_norm_s Nullable(Int64) COMMENT 'running_s - norm_s, seconds: delay seen while it still waits; NULL: no norm_s, or not open',
    plan_s Nullable(Int64) COMMENT 'planned time on the side, seconds; NULL: no plan',
    delay_plan_s Nullable(Int64) COMMENT 'side_s - plan_s, seconds; NULL: no plan, or open',
    vehicles Array(String) COMMENT 'runs a load unit was on there, in order; empty for runs themselves',
    consist String COMMENT 'wagons and containers: what arrived together; empty for trains and vessels, each of which is one',
    corridor LowCardinality(String) COMMENT '{{journey_corridor}}',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
COMMENT 'The two sides of each border crossing, a row each: outbound, the border crossing point of the country that is left, and inbound. Trains end where the gauge changes: their sides there are parts of a stay (begins_here, ends_here), the whole stay is that of unit_kind container.'
AS WITH
    (SELECT toUnixTimestamp64Milli(assumeNotNull(now)) FROM {{.Database}}.v_now) AS now_ms,
    -- The stage tells causes only of sides that have ended. Of one where a unit still is: what was done there, cut to the time from its
    -- coming to now.
    open_sides AS (
{{- range $i, $side := sides}}{{if $i}}
        UNION ALL
{{- end}}
        SELECT unit, journey, border, n, '{{$side}}' AS role, {{$side}}_places AS places, toUnixTimestamp64Milli(assumeNotNull({{side_entered $side}})) AS since
        FROM {{from "crossings"}} AS t FINAL
        WHERE {{$side}}_state IN ('open', 'silent') AND isNotNull({{side_entered $side}})
{{- end}}
    ),
    doings AS (
        SELECT unit, journey, border, n, role, spans,
            {{covered "startsWith(i.1, 'customs')"}} AS customs_s,
            {{covered "startsWith(i.1, 'gauge') OR startsWith(i.1, 'transload') OR i.1 = 'transhipment'"}} AS gauge_change_s,
            {{covered "NOT (startsWith(i.1, 'customs') OR startsWith(i.1, 'gauge') OR startsWith(i.1, 'transload') OR i.1 = 'transhipment')"}} AS other_s,
            arrayMap(c -> (c, {{covered "i.1 = c"}}), arraySort(arrayDistinct(arrayMap(i -> i.1, spans)))) AS causes, {{covered "true"}} AS explained_s
        FROM (
            SELECT o.unit AS unit, o.journey AS journey, border, o.n AS n, role, groupArray((kind, greatest(`from`, since), if(`to` = 0, now_ms, least(`to`, now_ms)))) AS spans
            FROM open_sides AS o
            GLOBAL INNER JOIN (
                SELECT unit, journey, place, toUnixTimestamp64Milli(if(toUnixTimestamp64Milli(entered) = 0, arrived, entered)) AS came,
                    toString(a.1) AS kind, toUnixTimestamp64Milli(a.2) AS `from`, toUnixTimestamp64Milli(a.3) AS `to`
                FROM {{from "visits"}} FINAL
                ARRAY JOIN arrayZip(activity_kind, activity_from, activity_to) AS a
                WHERE unit GLOBAL IN (
                    SELECT unit FROM {{from "crossings"}} FINAL WHERE outbound_state IN ('open', 'silent') OR inbound_state IN ('open', 'silent'))
            ) AS v ON v.unit = o.unit AND v.journey = o.journey
            WHERE has(places, place) AND came >= since AND kind != 'held' AND `from` != 0 AND greatest(`from`, since) < if(`to` = 0, now_ms, least(`to`, now_ms))
            GROUP BY unit, journey, border, n, role
        )
    )
SELECT s.* REPLACE (
    if(isNull(s.running_s), s.customs_s, d.customs_s) AS customs_s, if(isNull(s.running_s), s.gauge_change_s, d.gauge_change_s) AS gauge_change_s,
    if(isNull(s.running_s), s.other_s, d.other_s) AS other_s, if(isNull(s.running_s), s.causes, d.causes) AS causes,
    if(isNull(s.running_s), s.main_cause, arraySort(c -> -c.2, d.causes)[1].1) AS main_cause,
    if(isNull(s.running_s), s.overlap_s, toInt64(arraySum(c -> c.2, d.causes)) - d.explained_s) AS overlap_s,
    if(isNull(s.running_s), s.unexplained_s, assumeNotNull(s.running_s) - d.explained_s) AS unexplained_s)
FROM {{.Database}}.crossing_sides AS s
GLOBAL ANY LEFT JOIN doings AS d ON d.unit = s.unit AND d.journey = s.journey AND d.border = s.border AND d.n = s.n AND d.role = s.role
