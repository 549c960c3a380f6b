CREATE OR REPLACE VIEW {{.Database}}.v_crossing_sides
(
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    journey String COMMENT 'journey of the unit; of a train or vessel the run itself',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    n UInt32 COMMENT 'first, second ... crossing of this border in this journey, from 1',
    role LowCardinality(String) COMMENT 'outbound: the side that is left; inbound: the side that is entered',
    country LowCardinality(String) COMMENT 'ISO country code of the side',
    from_country LowCardinality(String) COMMENT 'ISO code of the country it leaves',
    to_country LowCardinality(String) COMMENT 'ISO code of the country it enters',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    places Array(String) COMMENT 'places of the side that were seen, in order',
{{columns "entered" "into the side"}}
{{columns "arrived" "first stand on the side"}}
{{columns "departed" "end of the last stand on the side"}}
{{columns "left" "out of the side"}}
    state LowCardinality(String) COMMENT 'open, silent, lost or closed',
    candidate Bool COMMENT 'the crossing is not confirmed yet',
    side_s Nullable(Int64) COMMENT 'entered (or arrived) to left (or departed), seconds; NULL while open, if no place of the side was seen, or not how it came there',
    running_s Nullable(Int64) COMMENT 'while open or silent: v_now - entered (or arrived), seconds; else NULL',
    customs_s Int64 COMMENT 'customs, seconds',
    gauge_change_s Int64 COMMENT 'gauge change, seconds',
    other_s Int64 COMMENT 'explained by other activities, seconds',
    causes Array(Tuple(cause String, seconds Int64)) COMMENT 'all activities by their code, each with all its seconds',
    overlap_s Int64 COMMENT 'by how much causes overlap, seconds: sum of causes - overlap_s + unexplained_s = side_s',
    unexplained_s Int64 COMMENT 'explained by nothing that was reported, seconds',
    norm_s Nullable(Int64) COMMENT 'norm of the catalogue for this side and direction, seconds; NULL: none',
    delay_norm_s Nullable(Int64) COMMENT 'side_s - norm_s, seconds; NULL: no norm, or open',
    running_delay_norm_s Nullable(Int64) COMMENT 'running_s - norm_s, seconds: delay seen while it still waits',
    plan_s Nullable(Int64) COMMENT 'planned time on the side, seconds; NULL: no plan',
    delay_plan_s Nullable(Int64) COMMENT 'side_s - plan_s, seconds; NULL: no plan, or open',
    vehicles Array(String) COMMENT 'runs a load unit was on there, in order; empty for runs themselves',
    consist String COMMENT 'what arrived together',
    corridor LowCardinality(String) COMMENT 'corridor; empty: not known',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'
)
AS WITH (SELECT now FROM {{.Database}}.v_now) AS stage_time
SELECT * FROM (
{{- range $i, $side := sides}}{{if $i}}
UNION ALL
{{- end}}
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.border AS border, {{border "t.border"}} AS border_name, t.n AS n,
    '{{$side}}' AS role, t.{{$side}}_country AS country, t.from_country AS from_country, t.to_country AS to_country,
    concat(t.from_country, '-', t.to_country) AS direction, t.{{$side}}_places AS places,
{{moments (printf "%s_" $side) "entered" "arrived" "departed" "left"}}
    t.{{$side}}_state AS state, t.candidate AS candidate,
    if(t.{{$side}}_state = 'closed' AND isNotNull(coalesce(left, departed)) AND isNotNull(coalesce(entered, arrived)) AND notEmpty(t.{{$side}}_places), t.{{$side}}_seconds, NULL) AS side_s,
    if(t.{{$side}}_state IN ('open', 'silent'), greatest(0, {{seconds "coalesce(entered, arrived)" "stage_time"}}), NULL) AS running_s,
    t.{{$side}}_customs_s AS customs_s, t.{{$side}}_gauge_change_s AS gauge_change_s, t.{{$side}}_other_s AS other_s,
    arrayMap((c, s) -> (toString(c), s), t.{{$side}}_cause, t.{{$side}}_cause_s) AS causes, t.{{$side}}_overlap_s AS overlap_s,
    t.{{$side}}_unexplained_s AS unexplained_s,
    if(t.{{$side}}_has_norm, t.{{$side}}_norm_s, NULL) AS norm_s,
    if(t.{{$side}}_has_norm AND isNotNull(side_s), t.{{$side}}_delay_norm_s, NULL) AS delay_norm_s,
    running_s - norm_s AS running_delay_norm_s,
    if(t.{{$side}}_has_plan, t.{{$side}}_plan_s, NULL) AS plan_s,
    if(t.{{$side}}_has_plan AND isNotNull(side_s), t.{{$side}}_delay_plan_s, NULL) AS delay_plan_s,
    t.{{$side}}_vehicles AS vehicles, t.consist AS consist, t.corridor AS corridor, t.area AS area, t.known_at AS known_at
FROM {{from "crossings"}} AS t FINAL
WHERE t.{{$side}}_state != 'none' OR notEmpty(t.{{$side}}_places)
{{- end}}
)
