-- Stage time is 2026-04-01 00:00.
INSERT INTO DB.ticks VALUES ('visits', 0, 'dwell', 0, 1775001600000);

-- Six trains leave AA by border b in March, after 2, 4, 6, 8, 10 and 30 hours; the inbound side takes an hour more than that and the
-- run between one hour. T7 was not seen on the outbound side, T8 is a candidate that has left, T9 is still there.
INSERT INTO DB.crossings (unit, unit_kind, journey, border, n, from_country, to_country,
    outbound_role, outbound_country, outbound_places, outbound_arrived, outbound_departed, outbound_seconds, outbound_state,
    inbound_role, inbound_country, inbound_places, inbound_arrived, inbound_departed, inbound_seconds, inbound_state,
    running_s, total_s, total_basis, candidate, state, version)
SELECT concat('T', toString(number + 1)) AS unit, 'train', unit, 'b', 1, 'AA', 'BB',
    'outbound', 'AA', ['east'], toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + INTERVAL number DAY AS came, came + INTERVAL h HOUR AS went, h * 3600, 'closed',
    'inbound', 'BB', ['west'], went + INTERVAL 1 HOUR, went + INTERVAL h + 2 HOUR, (h + 1) * 3600, 'closed',
    3600, (2 * h + 2) * 3600, 'report', false, 'closed', 1
FROM (SELECT number, [2, 4, 6, 8, 10, 30][number + 1] AS h FROM numbers(6));
INSERT INTO DB.crossings (unit, unit_kind, journey, border, n, from_country, to_country,
    outbound_role, outbound_country, outbound_places, outbound_arrived, outbound_departed, outbound_left, outbound_seconds, outbound_state,
    inbound_role, inbound_country, inbound_places, inbound_arrived, inbound_departed, inbound_seconds, inbound_state, total_s, total_basis, candidate, state, version) VALUES
('T7', 'train', 'T7', 'b', 1, 'AA', 'BB', 'outbound', 'AA', [], 0, 0, '2026-03-07 00:00:00', 0, 'closed',
    'inbound', 'BB', ['west'], '2026-03-07 00:00:00', '2026-03-07 05:00:00', 18000, 'closed', 18000, 'inferred', false, 'closed', 1),
('T8', 'train', 'T8', 'b', 1, 'AA', 'BB', 'outbound', 'AA', ['east'], '2026-03-08 00:00:00', '2026-03-08 09:00:00', 0, 32400, 'closed',
    '', '', [], 0, 0, 0, 'none', 0, '', true, 'open', 1),
('T9', 'train', 'T9', 'b', 1, 'AA', 'BB', 'outbound', 'AA', ['east'], '2026-03-09 00:00:00', 0, 0, 0, 'open',
    '', '', [], 0, 0, 0, 'none', 0, '', true, 'open', 1);

-- Three containers of T1 are one sample: two took 20 hours, one was left behind for 200. C4 came by itself, in another month.
INSERT INTO DB.crossings (unit, unit_kind, journey, border, n, from_country, to_country, consist,
    outbound_role, outbound_country, outbound_places, outbound_arrived, outbound_departed, outbound_seconds, outbound_state,
    inbound_role, inbound_country, inbound_places, inbound_arrived, inbound_departed, inbound_seconds, inbound_state, total_s, total_basis, state, version)
SELECT c.1, 'container', concat(c.1, '/1'), 'b', 1, 'AA', 'BB', c.2, 'outbound', 'AA', ['east'], '2026-03-01 00:00:00', '2026-03-01 02:00:00', 7200, 'closed',
    'inbound', 'BB', ['west'], '2026-03-01 03:00:00', toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + INTERVAL c.3 HOUR, (c.3 - 3) * 3600, 'closed', c.3 * 3600, 'report', 'closed', 1
FROM (SELECT arrayJoin([('C1', 'b|T1|1', 20), ('C2', 'b|T1|1', 200), ('C3', 'b|T1|1', 20), ('C4', '', 800)]) AS c);

-- Trains came to Dostyk, a border station, 0, 15, 30, 45, 60, 75 and 90 minutes after plan and stood 1, 2, 3, 4, 264, 6 and 5 hours;
-- the one of six hours was repaired. They began at Aktogay: three on time, and four half an hour and a second late.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, planned_arrival, activity_kind, activity_cause, activity_party,
    activity_from, activity_to, activity_source, activity_bound_for, direction, version)
SELECT concat('T', toString(number + 1)) AS unit, 'train', unit, 'kz-dostyk', 1, toDateTime64('2026-03-01 03:00:00', 3, 'UTC') + INTERVAL number DAY AS came, came + INTERVAL h HOUR, true, 'closed',
    came - INTERVAL number * 15 MINUTE, if(number = 5, ['wagon_repair'], []), if(number = 5, [''], []), if(number = 5, [''], []), if(number = 5, [came], []), if(number = 5, [came], []),
    if(number = 5, ['s'], []), if(number = 5, [''], []), 'c1:up', 1
FROM (SELECT number, [1, 2, 3, 4, 264, 6, 5][number + 1] AS h FROM numbers(7));
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, departed, stopped, state, planned_departure, direction, origin, version)
SELECT concat('T', toString(number + 1)) AS unit, 'train', unit, 'kz-aktogay', 1, toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + INTERVAL number DAY AS went, true, 'closed',
    went - INTERVAL if(number < 3, 1800, 1801) SECOND, 'c1:up', true, 1
FROM numbers(7);

-- They ended at home with these delays; T7 had no plan. T1 passed through another end.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, planned_arrival, terminus, version)
SELECT concat('T', toString(number + 1)) AS unit, 'train', unit, 'home', 1, toDateTime64('2026-03-10 00:00:00', 3, 'UTC') AS came, came + INTERVAL 1 HOUR, true, 'closed',
    if(number = 6, toDateTime64(0, 3, 'UTC'), came - INTERVAL late MINUTE), true, 1
FROM (SELECT number, [-20, 0, 30, 31, 45, 600, 0][number + 1] AS late FROM numbers(7));

-- Three legs: within AA, over the border, and of unknown length.
INSERT INTO DB.legs (unit, unit_kind, journey, from_place, to_place, n, vehicle, started_at, departed_at, arrived_at, km, stop_s, standing_s,
    moving_s, elapsed_s, mode, section, from_country, to_country, corridor, corridor_basis, border, state, version) VALUES
('T1', 'train', 'T1', 'home', 'east', 1, 'T1', '2026-03-01 00:00:00', '2026-03-01 00:00:00', '2026-03-01 02:00:00', 100, 0, 0, 7200, 7200, 'rail', 's1', 'AA', 'AA', 'c1', 'observed', '', 'closed', 1),
('T1', 'train', 'T1', 'east', 'west', 1, 'T1', '2026-03-01 02:00:00', '2026-03-01 09:00:00', '2026-03-01 10:00:00', 20, 25200, 25200, 3600, 28800, 'rail', 's2', 'AA', 'BB', 'c1', 'observed', 'b', 'closed', 2),
('T2', 'train', 'T2', 'home', 'away', 1, 'T2', '2026-03-01 02:00:00', '2026-03-01 02:00:00', '2026-03-01 10:00:00', 0, 0, 0, 3600, 28800, 'rail', '', 'AA', 'AA', 'c1', 'ambiguous', '', 'closed', 3);

-- T1 was heard of on the outbound side in two hours of its day, and once more in the hour in which it had left, when it was on its way.
INSERT INTO DB.train_events (source, id, verb, unit_kind, subject, time, place) VALUES
('s', '1', 'arrived', 'train', 'T1', '2026-03-01 00:00:00', 'east'), ('s', '2', 'departed', 'train', 'T1', '2026-03-01 01:59:59', 'east'),
('s', '3', 'arrived', 'train', 'T1', '2026-03-01 08:00:00', 'mid');
INSERT INTO DB.train_events (source, id, verb, unit_kind, subject, time, lat_e7) VALUES ('s', '4', 'position', 'train', 'T1', '2026-03-01 01:10:00', 1), ('s', '5', 'position', 'train', 'T1', '2026-03-01 02:20:00', 1);

-- Containers from Urumqi to Alat: K1 to K5 by Khorgos and Aktau in 10, 11, 12, 13 and 20 days, K6 by Dostyk and Kuryk in 9, K7 is still
-- at Altynkol, where all stood for a day, two days after Urumqi; the last shunted to Khorgos Gateway and back. K8 went there and back.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, version)
WITH toDateTime64('2026-03-01 00:00:00', 3, 'UTC') AS start
SELECT w.1 AS unit, 'container', concat(w.1, '/20260301'), w.2, w.3, if(w.4 < 0, toDateTime64(0, 3, 'UTC'), start + toIntervalDay(w.4)), if(w.5 < 0, toDateTime64(0, 3, 'UTC'), start + toIntervalDay(w.5)), true, if(w.5 < 0, 'open', 'closed'), 1
FROM (SELECT arrayJoin(arrayConcat(
    arrayFlatten(arrayMap((u, d) -> [(u, 'cn-urumqi', 1, -1, 0), (u, 'cn-khorgos', 1, 1, 1), (u, 'kz-altynkol', 1, 2, 3), (u, 'kz-aktau', 1, 7, 8), (u, 'az-alat', 1, d, -1)],
        ['K1', 'K2', 'K3', 'K4', 'K5'], [10, 11, 12, 13, 20])),
    [('K6', 'cn-urumqi', 1, -1, 0), ('K6', 'cn-alashankou', 1, 1, 1), ('K6', 'kz-dostyk', 1, 2, 4), ('K6', 'kz-kuryk', 1, 6, 8), ('K6', 'az-alat', 1, 9, -1),
     ('K7', 'cn-urumqi', 1, -1, 0), ('K7', 'kz-altynkol', 1, 2, 3), ('K7', 'kz-khorgosgw', 1, 3, 4), ('K7', 'kz-altynkol', 2, 4, -1),
     ('K8', 'cn-urumqi', 1, -1, 0), ('K8', 'kz-altynkol', 1, 2, 3), ('K8', 'cn-urumqi', 2, 4, 5), ('K8', 'kz-almaty1', 1, 6, -1)])) AS w);

-- Containers P1 to P5 came by sea to Poti, stood there for 2, 3, 4, 5 and 6 days, went on to Alat (1 day), crossed to Aktau (half a day) and
-- were delivered at Almaty after a day there. Origin and destination do not count. P6 still stands at Aktau, P7 came from Aktau by land.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, version)
WITH toDateTime64('2026-03-01 00:00:00', 3, 'UTC') AS start
SELECT w.1 AS unit, 'container', concat(w.1, '/20260301'), w.2, 1, start + toIntervalHour(24 * w.3), if(w.4 < 0, toDateTime64(0, 3, 'UTC'), start + toIntervalHour(toInt64(24 * w.4))), true, if(w.4 < 0, 'open', 'closed'), 1
FROM (SELECT arrayJoin(arrayConcat(
    arrayFlatten(arrayMap(d -> [(concat('P', toString(d - 1)), 'ro-constanta', 0, 5), (concat('P', toString(d - 1)), 'ge-poti', 8, 8 + d), (concat('P', toString(d - 1)), 'az-alat', 10 + d, 11 + d),
        (concat('P', toString(d - 1)), 'kz-aktau', 12 + d, 12.5 + d), (concat('P', toString(d - 1)), 'kz-almaty1', 16 + d, 17 + d)], [2, 3, 4, 5, 6])),
    [('P6', 'ge-poti', 0, 1), ('P6', 'az-alat', 2, 3), ('P6', 'kz-aktau', 4, -1), ('P7', 'kz-aktau', 0, 3), ('P7', 'kz-shu', 4, 5), ('P7', 'kz-almaty1', 6, 7)])) AS w);

-- Of eight wagons five are on the northern route, two on c2, of one the corridor is not known.
INSERT INTO DB.legs (unit, unit_kind, journey, from_place, to_place, n, arrived_at, km, corridor, corridor_basis, state, version)
SELECT toString(number) AS unit, 'wagon', unit, 'home', 'away', 1, '2026-03-01 00:00:00', 10, if(number < 5, 'northern', 'c2'), if(number = 7, 'ambiguous', 'planned'), 'closed', 1 FROM numbers(8);

-- T1 to T5 paid 100, 200, 300, 400 and 1000 USD in east, T1 50 more without a receipt, and 7000 KZT; T6 nothing. What T2 paid twice was taken back.
INSERT INTO DB.train_events (source, id, verb, unit_kind, subject, time, place, amount, currency, official, cost_kind)
SELECT 's', concat('c', toString(number)), 'cost', 'train', concat('T', toString(number + 1)), '2026-03-20 00:00:00', 'east', [100, 200, 300, 400, 1000][number + 1], 'USD', 'official', 'customs' FROM numbers(5);
INSERT INTO DB.train_events (source, id, verb, unit_kind, subject, time, place, amount, currency, official, retracts_id) VALUES
('s', 'c10', 'cost', 'train', 'T1', '2026-03-01 00:30:00', 'east', 50, 'USD', 'unofficial', ''), ('s', 'c11', 'cost', 'train', 'T1', '2026-03-01 00:30:00', 'east', 7000, 'KZT', 'unknown', ''),
('s', 'c12', 'cost', 'train', 'T2', '2026-03-01 00:30:00', 'east', 200, 'USD', 'official', ''), ('s', 'c13', 'retracted', 'train', 'T2', '2026-03-21 00:00:00', '', nan, '', 'unknown', 'c12');
-- From Urumqi to Altynkol the catalogue has 681 km. K1 to K5 carried 10 t each and paid 681 to 3405 USD, K1 half of that without a receipt
-- and in two payments; K6 paid for 20 t over 1000 km as it said; of K7 nobody knows the weight.
INSERT INTO DB.unit_events (source, id, verb, unit_kind, subject, time, place, to_place, amount, currency, official, km, weight_t)
SELECT 's', concat('d', toString(number)), 'cost', 'container', concat('K', toString(if(number = 5, 1, number + 1))), '2026-03-02 00:00:00', 'cn-urumqi', 'kz-altynkol', [340.5, 1362, 2043, 2724, 3405, 340.5][number + 1], 'USD',
    if(number = 5, 'unofficial', 'official'), nan, 10 FROM numbers(6);
INSERT INTO DB.unit_events (source, id, verb, unit_kind, subject, time, place, to_place, amount, currency, official, km, weight_t) VALUES
('s', 'd6', 'cost', 'container', 'K6', '2026-03-02 00:00:00', 'cn-urumqi', 'kz-dostyk', 400, 'USD', 'official', 1000, 20),
('s', 'd7', 'cost', 'container', 'K7', '2026-03-02 00:00:00', 'cn-urumqi', 'kz-altynkol', 1000, 'USD', 'official', nan, nan);

-- A train on the line that is planned: 523 km in 31 hours.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, version) VALUES
('Q1', 'train', 'Q1', 'cn-kashgar', 1, 0, '2026-03-01 00:00:00', true, 'closed', 1), ('Q1', 'train', 'Q1', 'kg-makmal', 1, '2026-03-01 10:00:00', '2026-03-01 20:00:00', true, 'closed', 1),
('Q1', 'train', 'Q1', 'uz-andijan', 1, '2026-03-02 07:00:00', 0, true, 'open', 1);

-- Containers G1 and G2 from Altynkol to Aktau in 120 and 312.8 hours. G1 stood at Shu, after 653 of 3128 km, from hour 24 to 36; G2 was not
-- seen there: by its way it passed after 65.3 hours.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, version)
WITH toDateTime64('2026-03-01 00:00:00', 3, 'UTC') AS start
SELECT w.1 AS unit, 'container', concat(w.1, '/20260301'), w.2, 1, if(w.3 < 0, toDateTime64(0, 3, 'UTC'), start + toIntervalMinute(w.3)), if(w.4 < 0, toDateTime64(0, 3, 'UTC'), start + toIntervalMinute(w.4)), true, if(w.4 < 0, 'open', 'closed'), 1
FROM (SELECT arrayJoin([('G1', 'kz-altynkol', -1, 0), ('G1', 'kz-shu', 1440, 2160), ('G1', 'kz-aktau', 7200, -1), ('G2', 'kz-altynkol', -1, 0), ('G2', 'kz-aktau', 18768, -1)]) AS w);
