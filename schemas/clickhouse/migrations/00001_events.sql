-- Events as intake accepted them. Key: subject, source, id. Of several events with one key the one recorded last counts, then the
-- greater hash of the contents: the same rule as in the stages. Of equal ones that which was not late counts. The version is
-- computed here, so that nobody can write another one.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Database}}.train_events
(
{{template "event head"}}
    lat_e7 Int32 CODEC(Delta, ZSTD(1)),
    lon_e7 Int32 CODEC(Delta, ZSTD(1)),
    lat Float64 ALIAS lat_e7 / 1e7,
    lon Float64 ALIAS lon_e7 / 1e7,
    speed_kmh Float32 DEFAULT nan CODEC(ZSTD(1)),
    heading Float32 DEFAULT nan CODEC(ZSTD(1)),
    accuracy_m Float32 DEFAULT nan CODEC(ZSTD(1)),
    planned_time {{time}},
    stop_place Array(LowCardinality(String)),
    stop_arrival Array({{time}}),
    stop_departure Array({{time}}),
    destination LowCardinality(String),
    exit_border LowCardinality(String),
    op Enum8('none' = 0, 'set' = 1, 'add' = 2, 'remove' = 3),
    item_wagon Array(String),
    item_container Array(String),
    item_loaded Array(Enum8('unknown' = -1, 'empty' = 0, 'loaded' = 1)),
    item_consignment Array(String),
    continued_by String,
    bound_for LowCardinality(String),
    border LowCardinality(String),
    handover_state Enum8('none' = 0, 'offered' = 1, 'accepted' = 2, 'refused' = 3, 'returned' = 4),
    counterpart LowCardinality(String),
    vehicle String,
    vehicle_kind {{unit_kind}},
    activity LowCardinality(String),
    activity_state Enum8('none' = 0, 'started' = 1, 'finished' = 2, 'held' = 3, 'released' = 4),
    party LowCardinality(String),
    cause LowCardinality(String),
    milestone LowCardinality(String),
    units Array(String),
    retracts_type LowCardinality(String),
    retracts_id String
)
ENGINE = {{engine "version, deleted"}} ORDER BY (subject, source, id);

CREATE TABLE IF NOT EXISTS {{.Database}}.unit_events AS {{.Database}}.train_events
ENGINE = {{engine "version, deleted"}} ORDER BY (subject, source, id);

CREATE TABLE IF NOT EXISTS {{.Database}}.shipments
(
{{template "event head"}}
    note String,
    replaces String,
    origin LowCardinality(String),
    destination LowCardinality(String),
    shipper_region LowCardinality(String),
    trade_mode LowCardinality(String),
    goods_hs Array(String),
    goods_description Array(String),
    goods_weight_kg Array(Float64),
    goods_value Array(Float64),
    goods_currency Array(LowCardinality(String)),
    unit_id Array(String),
    unit_share Array(Float64),
    milestone LowCardinality(String),
    units Array(String),
    retracts_type LowCardinality(String),
    retracts_id String
)
ENGINE = {{engine "version, deleted"}} ORDER BY (subject, source, id);

CREATE TABLE IF NOT EXISTS {{.Database}}.restrictions
(
{{template "event head"}}
    effect LowCardinality(String),
    limit_per_day Float64 DEFAULT nan,
    direction LowCardinality(String),
    applies_to String,
    from_time {{time}},
    until_time {{time}},
    reason String,
    reference String,
    retracts_type LowCardinality(String),
    retracts_id String
)
ENGINE = {{engine "version, deleted"}} ORDER BY (subject, source, id);

CREATE TABLE IF NOT EXISTS {{.Database}}.plans
(
{{template "event head"}}
    direction LowCardinality(String),
    date String,
    trains Float64,
    containers Float64 DEFAULT nan,
    retracts_type LowCardinality(String),
    retracts_id String
)
ENGINE = {{engine "version, deleted"}} ORDER BY (subject, source, id);

-- A reject's id is made of its bytes, so that a file sent again gives no new ones; any task may meet it. The attempt that came last
-- counts, and of equal attempts the one that came first.
CREATE TABLE IF NOT EXISTS {{.Database}}.rejects
(
    id String,
    source String,
    reason LowCardinality(String),
    detail String,
    path String,
    value String CODEC(ZSTD(1)),
    content_type LowCardinality(String),
    at {{time}},
    attempts UInt32,
    accepted_at {{time}},
    known_at {{time}},
    version UInt128 MATERIALIZED bitOr(bitShiftLeft(toUInt128(attempts), 65), bitOr(
        bitShiftLeft(toUInt128(toUnixTimestamp64Milli(accepted_at) != 0), 64), toUInt128(bitNot(toUInt64(toUnixTimestamp64Milli(at)))))),
    deleted UInt8
)
ENGINE = {{engine "version, deleted"}} ORDER BY id;
