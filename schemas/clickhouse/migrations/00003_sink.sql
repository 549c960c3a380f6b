-- How far the sink is. sink_offsets: the next offset to read of each topic partition and the last sequence number taken of each
-- task that writes it, in one row, since neither means anything without the other; written after the rows they count.
-- ticks: the last mark of each task that has passed the sink, in milliseconds since 1970.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Database}}.sink_offsets
(
    topic LowCardinality(String),
    partition UInt32,
    next_offset UInt64,
    stage Array(LowCardinality(String)),
    task Array(UInt32),
    epoch Array(UInt32),
    seq Array(UInt64),
    stored_at {{time}} DEFAULT now64(3)
)
ENGINE = {{engine "next_offset"}} ORDER BY (topic, partition);

CREATE TABLE IF NOT EXISTS {{.Database}}.ticks
(
    topic LowCardinality(String),
    partition UInt32,
    stage LowCardinality(String),
    task UInt32,
    mark UInt64
)
ENGINE = {{engine "mark"}} ORDER BY (topic, partition, stage, task);
