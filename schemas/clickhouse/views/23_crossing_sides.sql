CREATE OR REPLACE VIEW {{.Database}}.crossing_sides
COMMENT 'The sides of border crossings as the stage tells them, for other views: v_crossing_sides without the causes of what goes on, which take time.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
{{run_ends}},
{{identities}}
SELECT * FROM (
{{- range $i, $side := sides}}{{if $i}}
UNION ALL
{{- end}}
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.border AS border, {{border "t.border"}} AS border_name, t.n AS n,
    '{{$side}}' AS role, t.{{$side}}_country AS country, t.from_country AS from_country, t.to_country AS to_country,
    concat(t.from_country, '-', t.to_country) AS direction, t.{{$side}}_places AS places,
{{moments (printf "%s_" $side) "entered" "departed" "left"}}
    {{known (printf "t.%s_arrived" $side)}} AS arrived, {{known (printf "t.%s_arrived_earliest" $side)}} AS arrived_earliest, {{known (printf "t.%s_arrived_latest" $side)}} AS arrived_latest,
    if({{begins_here $side}} AND isNotNull(arrived) AND t.{{$side}}_arrived_basis IN ('position', 'interpolated'), 'inferred', toString(t.{{$side}}_arrived_basis)) AS arrived_basis,
    {{side_entered $side}} AS began, {{side_left $side}} AS ended,
    t.{{$side}}_state AS state, t.candidate AS candidate, {{begins_here $side}} AS begins_here, {{ends_here $side}} AS ends_here,
    {{other_identity}} AS other_identity,
    if(t.{{$side}}_state = 'closed' AND isNotNull(ended) AND isNotNull(began) AND notEmpty(t.{{$side}}_places), t.{{$side}}_seconds, NULL) AS side_s,
    isNotNull(side_s) AND {{observed $side}} AS observed,
    if(t.{{$side}}_state IN ('open', 'silent'), greatest(0, {{seconds "began" "stage_time"}}), NULL) AS running_s,
    t.gauge_break AS gauge_break,
    t.{{$side}}_customs_s AS customs_s, t.{{$side}}_gauge_change_s AS gauge_change_s, t.{{$side}}_other_s AS other_s,
    arrayMap((c, s) -> (toString(c), s), t.{{$side}}_cause, t.{{$side}}_cause_s) AS causes, arraySort(c -> -c.2, causes)[1].1 AS main_cause, t.{{$side}}_overlap_s AS overlap_s, t.{{$side}}_unexplained_s AS unexplained_s,
    if(t.{{$side}}_has_norm AND NOT begins_here AND NOT ends_here, t.{{$side}}_norm_s, NULL) AS norm_s,
    side_s - norm_s AS delay_norm_s,
    running_s - norm_s AS running_delay_norm_s,
    if(t.{{$side}}_has_plan, t.{{$side}}_plan_s, NULL) AS plan_s,
    if(t.{{$side}}_has_plan AND isNotNull(side_s), t.{{$side}}_delay_plan_s, NULL) AS delay_plan_s,
    t.{{$side}}_vehicles AS vehicles, t.consist AS consist, {{clear_corridor}} AS corridor, t.area AS area, t.known_at AS known_at
FROM {{from "crossings"}} AS t FINAL
GLOBAL ANY LEFT JOIN run_ends AS r ON r.unit = t.unit
GLOBAL ANY LEFT JOIN identities AS i ON i.unit = t.unit AND i.border = t.border AND i.direction = concat(t.from_country, '-', t.to_country)
WHERE t.{{$side}}_state != 'none' OR notEmpty(t.{{$side}}_places)
{{- end}}
)
