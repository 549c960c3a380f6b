CREATE OR REPLACE VIEW {{.Database}}.v_rejects
(
    id String COMMENT 'partition, offset and element of the input',
    unit_kind LowCardinality(String) COMMENT 'always none: what was rejected is not about a unit yet',
    source String COMMENT 'who sent it, as far as it could be read',
    reason LowCardinality(String) COMMENT 'unreadable, unknown_type, missing_field, impossible_value, unknown_place, off_network, future, far_ahead ...',
    detail String COMMENT 'what is wrong, and what to do about it',
    path String COMMENT 'JSON path of the fault',
    value String COMMENT 'the bytes as they came',
    content_type LowCardinality(String) COMMENT 'content type as it came',
    at Nullable({{time}}) COMMENT 'stage time at which it was rejected, UTC',
    attempts UInt32 COMMENT 'how often it was tried again',
    open Bool COMMENT 'still rejected',
    retried_at Nullable({{time}}) COMMENT 'stage time at which a retry was accepted, UTC; NULL while open'
)
COMMENT 'What could not be read or believed, with the reason and the bytes; corridorwatch rejects retry brings it in after a mend.'
AS SELECT
    t.id AS id, 'none' AS unit_kind, t.source AS source, t.reason AS reason, t.detail AS detail, t.path AS path, t.value AS value, t.content_type AS content_type,
    {{known "t.at"}} AS at, t.attempts AS attempts, toBool(toUnixTimestamp64Milli(t.accepted_at) = 0) AS open, {{known "t.accepted_at"}} AS retried_at
FROM {{from "rejects"}} AS t FINAL
