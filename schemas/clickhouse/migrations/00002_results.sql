-- Results: keyed rows, each key written by one task. version = epoch and sequence number of the record. A _history table keeps
-- every version of a row; known_at is the stage time at which it was written. A time of 1970-01-01 means: not known.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Database}}.train_status
(
    run String,
    unit_kind {{unit_kind}},
    state {{state}},
    seen_at {{time}},
    lat_e7 Int32,
    lon_e7 Int32,
    lat Float64 ALIAS lat_e7 / 1e7,
    lon Float64 ALIAS lon_e7 / 1e7,
    has_position Bool,
    speed_kmh Float64,
    place LowCardinality(String),
    last_place LowCardinality(String),
    since {{time}},
    standing Bool,
    destination LowCardinality(String),
    corridor LowCardinality(String),
    direction LowCardinality(String),
    wagons UInt32,
    containers UInt32,
    source LowCardinality(String),
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY run;

CREATE TABLE IF NOT EXISTS {{.Database}}.visits
(
    unit String,
    unit_kind {{unit_kind}},
    journey String,
    place LowCardinality(String),
    n UInt32,
{{template "moment" "entered"}}
{{template "moment" "arrived"}}
{{template "moment" "departed"}}
{{template "moment" "left"}}
    stopped Bool,
    state {{state}},
    vehicle_in String,
    vehicle_out String,
    vehicle_kind LowCardinality(String),
    activity_kind Array(LowCardinality(String)),
    activity_cause Array(LowCardinality(String)),
    activity_party Array(LowCardinality(String)),
    activity_from Array({{time}}),
    activity_to Array({{time}}),
    activity_source Array(LowCardinality(String)),
    activity_bound_for Array(LowCardinality(String)),
    planned_arrival {{time}},
    planned_departure {{time}},
    direction LowCardinality(String),
    line_standing_s Int64,
    offered_at {{time}},
    accepted_at {{time}},
    refused UInt32,
    origin Bool,
    terminus Bool,
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY (unit, journey, place, n);

CREATE TABLE IF NOT EXISTS {{.Database}}.visits_history AS {{.Database}}.visits
ENGINE = {{engine "version"}} ORDER BY (unit, journey, place, n, version);

CREATE TABLE IF NOT EXISTS {{.Database}}.legs
(
    unit String,
    unit_kind {{unit_kind}},
    journey String,
    from_place LowCardinality(String),
    to_place LowCardinality(String),
    n UInt32,
    vehicle String,
    started_at {{time}},
    departed_at {{time}},
    arrived_at {{time}},
    km Float64,
    stop_s Int64,
    standing_s Int64,
    moving_s Int64,
    elapsed_s Int64,
    mode LowCardinality(String),
    section LowCardinality(String),
    from_country LowCardinality(String),
    to_country LowCardinality(String),
    corridor LowCardinality(String),
    corridor_basis LowCardinality(String),
    direction LowCardinality(String),
    skipped UInt32,
    border LowCardinality(String),
    state {{state}},
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY (unit, journey, from_place, to_place, n);

CREATE TABLE IF NOT EXISTS {{.Database}}.legs_history AS {{.Database}}.legs
ENGINE = {{engine "version"}} ORDER BY (unit, journey, from_place, to_place, n, version);

CREATE TABLE IF NOT EXISTS {{.Database}}.crossings
(
    unit String,
    unit_kind {{unit_kind}},
    journey String,
    border LowCardinality(String),
    n UInt32,
    from_country LowCardinality(String),
    to_country LowCardinality(String),
{{- range sides}}
    {{.}}_role LowCardinality(String),
    {{.}}_country LowCardinality(String),
    {{.}}_places Array(LowCardinality(String)),
{{template "moment" (print . "_entered")}}
{{template "moment" (print . "_arrived")}}
{{template "moment" (print . "_departed")}}
{{template "moment" (print . "_left")}}
    {{.}}_seconds Int64,
    {{.}}_customs_s Int64,
    {{.}}_gauge_change_s Int64,
    {{.}}_other_s Int64,
    {{.}}_unexplained_s Int64,
    {{.}}_has_norm Bool,
    {{.}}_norm_s Int64,
    {{.}}_delay_norm_s Int64,
    {{.}}_has_plan Bool,
    {{.}}_plan_s Int64,
    {{.}}_delay_plan_s Int64,
    {{.}}_state {{state}},
{{- end}}
    running_s Int64,
    gauge_change_s Int64,
    customs_s Int64,
    offered_at {{time}},
    accepted_at {{time}},
    handover_s Int64,
    refused UInt32,
    approach_s Int64,
    total_s Int64,
    total_basis LowCardinality(String),
    total_earliest_s Int64,
    total_latest_s Int64,
    has_norm Bool,
    norm_s Int64,
    delay_norm_s Int64,
    has_plan Bool,
    plan_s Int64,
    delay_plan_s Int64,
    candidate Bool,
    state {{state}},
    consist String,
    vehicle_in String,
    vehicle_out String,
    gauge_break LowCardinality(String),
    corridor LowCardinality(String),
    area LowCardinality(String),
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY (unit, journey, border, n);

CREATE TABLE IF NOT EXISTS {{.Database}}.crossings_history AS {{.Database}}.crossings
ENGINE = {{engine "version"}} ORDER BY (unit, journey, border, n, version);

CREATE TABLE IF NOT EXISTS {{.Database}}.crossing_delays
(
    unit String,
    unit_kind {{unit_kind}},
    journey String,
    border LowCardinality(String),
    n UInt32,
    role LowCardinality(String),
    area LowCardinality(String),
    has_usual Bool,
    usual_s Int64,
    p95_s Int64,
    samples UInt32,
    delay_usual_s Int64,
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY (unit, journey, border, n, role);

CREATE TABLE IF NOT EXISTS {{.Database}}.delay_stats
(
    area LowCardinality(String),
    border LowCardinality(String),
    role LowCardinality(String),
    direction LowCardinality(String),
    unit_kind {{unit_kind}},
    hour {{time}},
    n UInt32,
    mean_s Float64,
    p50_s Float64,
    p90_s Float64,
    p95_s Float64,
    max_s Float64,
    waiting UInt32,
    oldest_s Int64,
    held_upstream UInt32,
    arrivals UInt32,
    releases UInt32,
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY (area, border, role, direction, unit_kind, hour);

CREATE TABLE IF NOT EXISTS {{.Database}}.alerts
(
    fingerprint String,
    kind LowCardinality(String),
    severity LowCardinality(String),
    area LowCardinality(String),
    border LowCardinality(String),
    role LowCardinality(String),
    unit String,
    since {{time}},
    updated {{time}},
    resolved {{time}},
    firing Bool,
    summary String,
    value Float64,
    baseline Float64,
    baseline_basis LowCardinality(String),
    evidence String,
    restriction String,
{{template "version"}}
)
ENGINE = {{engine "version, deleted"}} ORDER BY fingerprint;
