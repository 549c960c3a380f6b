CREATE OR REPLACE VIEW {{.Database}}.v_positions
(
    unit String COMMENT 'train run, vessel voyage, wagon or container',
    unit_kind LowCardinality(String) COMMENT 'train, vessel, wagon or container: never count them together',
    time {{time}} COMMENT 'time of the fix, UTC',
    offset_min Int16 COMMENT 'offset from UTC the sender wrote, minutes',
    lat Float64 COMMENT 'degrees north (WGS 84), to 1e-7',
    lon Float64 COMMENT 'degrees east (WGS 84), to 1e-7',
    speed_kmh Nullable(Float32) COMMENT 'speed the tracker reports, km/h; NULL: none',
    heading Nullable(Float32) COMMENT 'degrees clockwise from north; NULL: none',
    accuracy_m Nullable(Float32) COMMENT 'radius the tracker claims, metres; NULL: none',
    source LowCardinality(String) COMMENT 'who sent it',
    id String COMMENT 'identifies the event within its source',
    recorded_at Nullable({{time}}) COMMENT 'the sender''s own time of record, UTC',
    ingested_at Nullable({{time}}) COMMENT 'when it came in here, UTC',
    accepted_at Nullable({{time}}) COMMENT 'stage time at which it was accepted, UTC',
    late Bool COMMENT 'beyond the lateness (72 h) when it came: stored, not counted in results'
)
COMMENT 'Every fix as it came, but for those taken back.'
AS
{{- range $i, $table := tables "train_events" "unit_events"}}{{if $i}}
UNION ALL
{{- end}}
SELECT
    t.subject AS unit, t.unit_kind AS unit_kind, t.time AS time, t.offset_min AS offset_min, t.lat_e7 / 1e7 AS lat, t.lon_e7 / 1e7 AS lon,
    if(isNaN(t.speed_kmh), NULL, t.speed_kmh) AS speed_kmh, if(isNaN(t.heading), NULL, t.heading) AS heading,
    if(isNaN(t.accuracy_m), NULL, t.accuracy_m) AS accuracy_m, t.source AS source, t.id AS id,
    {{known "t.recorded_at"}} AS recorded_at, {{known "t.ingested_at"}} AS ingested_at, {{known "t.accepted_at"}} AS accepted_at, t.late AS late
FROM {{from $table}} AS t FINAL
WHERE t.verb = 'position' AND (t.source, t.id) GLOBAL NOT IN (
    SELECT source, retracts_id FROM {{from $table}} FINAL WHERE verb = 'retracted')
{{- end}}
