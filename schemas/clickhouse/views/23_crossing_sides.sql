CREATE OR REPLACE VIEW {{.Database}}.crossing_sides
COMMENT 'The sides of border crossings as the stage tells them, for other views: v_crossing_sides without the causes of what goes on, which take time.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
{{run_ends}},
{{identities}}
SELECT
    t.unit AS unit, t.unit_kind AS unit_kind, t.journey AS journey, t.border AS border, {{border "t.border"}} AS border_name, t.n AS n,
    toString(t.role) AS role, t.side_country AS country, t.from_country AS from_country, t.to_country AS to_country,
    concat(t.from_country, '-', t.to_country) AS direction, t.side_places AS places,
{{moments "side_" "entered" "departed" "left"}}
    {{known "t.side_arrived"}} AS arrived, {{known "t.side_arrived_earliest"}} AS arrived_earliest, {{known "t.side_arrived_latest"}} AS arrived_latest,
    if({{begins_here "side"}} AND isNotNull(arrived) AND t.side_arrived_basis IN ('position', 'interpolated'), 'inferred', toString(t.side_arrived_basis)) AS arrived_basis,
    {{side_entered "side"}} AS began, {{side_left "side"}} AS ended,
    t.side_state AS state, t.candidate AS candidate, {{begins_here "side"}} AS begins_here, {{ends_here "side"}} AS ends_here,
    {{other_identity}} AS other_identity,
    if(t.side_state = 'closed' AND isNotNull(ended) AND isNotNull(began) AND notEmpty(t.side_places), t.side_seconds, NULL) AS side_s,
    isNotNull(side_s) AND {{observed "side"}} AS observed,
    if(t.side_state IN ('open', 'silent'), greatest(0, {{seconds "began" "stage_time"}}), NULL) AS running_s,
    t.gauge_break AS gauge_break,
    t.side_customs_s AS customs_s, t.side_gauge_change_s AS gauge_change_s, t.side_other_s AS other_s,
    arrayMap((c, s) -> (toString(c), s), t.side_cause, t.side_cause_s) AS causes, arraySort(c -> -c.2, causes)[1].1 AS main_cause, t.side_overlap_s AS overlap_s, t.side_unexplained_s AS unexplained_s,
    if(t.side_has_norm AND NOT begins_here AND NOT ends_here, t.side_norm_s, NULL) AS norm_s,
    side_s - norm_s AS delay_norm_s,
    running_s - norm_s AS running_delay_norm_s,
    if(t.side_has_plan, t.side_plan_s, NULL) AS plan_s,
    if(t.side_has_plan AND isNotNull(side_s), t.side_delay_plan_s, NULL) AS delay_plan_s,
    t.side_vehicles AS vehicles, t.consist AS consist, {{clear_corridor}} AS corridor, t.area AS area, t.known_at AS known_at
FROM (
    -- Both sides of a crossing from one reading of it, its columns as side_entered ...
    SELECT unit, unit_kind, journey, border, n, role, from_country, to_country, candidate, gauge_break, consist, corridor, area, known_at,
{{- range $i, $column := side_columns}}{{if $i}},{{end}}
        if(role = 'outbound', outbound_{{$column}}, inbound_{{$column}}) AS side_{{$column}}
{{- end}}
    FROM (SELECT *, arrayJoin(['outbound', 'inbound']) AS role FROM {{from "crossings"}} FINAL)
    WHERE side_state != 'none' OR notEmpty(side_places)
) AS t
GLOBAL ANY LEFT JOIN run_ends AS r ON r.unit = t.unit
GLOBAL ANY LEFT JOIN identities AS i ON i.unit = t.unit AND i.border = t.border AND i.direction = concat(t.from_country, '-', t.to_country)
