-- Stage time is 2026-03-02 00:00. At border b the gauge changes at west, on the inbound side; the norm of either side is ten hours.
INSERT INTO DB.ticks VALUES ('visits', 0, 'dwell', 0, 1772409600000);

-- A came from home with containers C1 to C3, crossed and ended at west. There B was formed, which has no plan yet, and took C1 and C2 on;
-- C3 waits. A wagon of A stands there too. X, formed at east, left it at midnight, D an hour later by the clock of its tracker, which is
-- ahead of the stages.
INSERT INTO DB.crossings (unit, unit_kind, journey, border, n, from_country, to_country, gauge_break, corridor,
    outbound_role, outbound_country, outbound_places, outbound_arrived, outbound_departed, outbound_seconds, outbound_state, outbound_has_norm, outbound_norm_s, outbound_delay_norm_s,
    inbound_role, inbound_country, inbound_places, inbound_arrived, inbound_departed, inbound_seconds, inbound_state, inbound_has_norm, inbound_norm_s, inbound_delay_norm_s,
    running_s, total_s, total_basis, candidate, state, has_norm, norm_s, delay_norm_s, version)
SELECT w.1, w.2, if(w.2 = 'train', w.1, concat(w.1, '/1')), 'b', 1, 'AA', 'BB', 'g', 'c1',
    'outbound', 'AA', w.3, w.4, w.5, if(toUnixTimestamp64Milli(w.5) = 0, 0, dateDiff('second', w.4, w.5)), if(empty(w.3), 'none', if(toUnixTimestamp64Milli(w.5) = 0, 'open', 'closed')), true, 36000, 0,
    'inbound', 'BB', w.6, w.7, w.8, if(toUnixTimestamp64Milli(w.8) = 0, 0, dateDiff('second', w.7, w.8)), if(empty(w.6), 'none', if(toUnixTimestamp64Milli(w.8) = 0, 'open', 'closed')), true, 36000, 0,
    if(empty(w.3) OR empty(w.6), 0, 3600), if(empty(w.3) OR toUnixTimestamp64Milli(w.8) = 0, 0, dateDiff('second', w.4, w.8)), 'report', empty(w.3) OR empty(w.6),
    if(toUnixTimestamp64Milli(w.8) = 0, 'open', 'closed'), true, 72000, 0, 1
FROM (
    WITH (d, h) -> toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + toIntervalHour(24 * (d - 1) + h) AS at, toDateTime64(0, 3, 'UTC') AS never, CAST([], 'Array(String)') AS nowhere
    SELECT arrayJoin([
        ('A', 'train', ['east'], at(1, 0), at(1, 4), ['west'], at(1, 5), at(1, 9)),
        ('B', 'train', nowhere, never, never, ['west'], at(1, 10), never),
        ('C1', 'container', ['east'], at(1, 0), at(1, 4), ['west'], at(1, 5), never), ('C2', 'container', ['east'], at(1, 0), at(1, 4), ['west'], at(1, 5), never),
        ('C3', 'container', ['east'], at(1, 0), at(1, 4), ['west'], at(1, 5), never),
        ('90000001', 'wagon', ['east'], at(1, 0), at(1, 4), ['west'], at(1, 5), never),
        ('X', 'train', ['east'], at(1, 20), at(2, 0), nowhere, never, never), ('D', 'train', ['east'], at(1, 20), at(2, 1), nowhere, never, never)]) AS w);

INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, arrived_basis, departed, departed_basis, stopped, state, origin, terminus, vehicle_in, vehicle_out, vehicle_kind, planned_arrival,
    transfer_first, transfer_second, transfer_off_at, transfer_on_at, version)
SELECT w.1, w.2, if(w.2 = 'train', w.1, concat(w.1, '/1')), w.3, 1, w.4, if(w.2 = 'train' AND w.6, 'position', 'report'), w.5, 'report', true, if(toUnixTimestamp64Milli(w.5) = 0, 'open', 'closed'), w.6, w.7,
    w.8, w.9, 'train', '2026-03-01 00:00:00', w.10, w.11, toDateTime64(if(w.10 = '', '1970-01-01 00:00:00', '2026-03-01 09:00:00'), 3, 'UTC'), toDateTime64(if(w.11 = '', '1970-01-01 00:00:00', '2026-03-01 12:00:00'), 3, 'UTC'), 1
FROM (
    WITH (d, h) -> toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + toIntervalHour(24 * (d - 1) + h) AS at, toDateTime64(0, 3, 'UTC') AS never
    SELECT arrayJoin([
        ('A', 'train', 'home', at(-1, 0), at(0, 20), true, false, '', '', '', ''), ('A', 'train', 'east', at(1, 0), at(1, 4), false, false, '', '', '', ''), ('A', 'train', 'west', at(1, 5), at(1, 9), false, true, '', '', '', ''),
        ('B', 'train', 'west', at(1, 10), never, true, false, '', '', '', ''),
        ('X', 'train', 'east', at(1, 20), at(2, 0), true, false, '', '', '', ''), ('D', 'train', 'east', at(1, 20), at(2, 1), false, false, '', '', '', ''),
        ('C1', 'container', 'west', at(1, 5), never, false, false, 'A', '', 'A', 'B'), ('C2', 'container', 'west', at(1, 5), never, false, false, 'A', '', 'A', 'B'), ('C3', 'container', 'west', at(1, 5), never, false, false, 'A', '', 'A', ''),
        ('C4', 'container', 'home', at(1, 0), at(1, 20), false, false, '', 'X', '', ''), ('C5', 'container', 'home', at(1, 0), at(1, 20), false, false, 'X', '', '', '')]) AS w);
INSERT INTO DB.crossings SELECT * REPLACE ('position' AS outbound_arrived_basis, 'fence' AS total_basis, 3600 AS total_latest_s, 2 AS version) FROM DB.crossings WHERE unit IN ('A', 'X');
-- What was done to C3: customs for two hours from before it came, an inspection of an hour within these, wagons waited for since 06:00.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, stopped, state, vehicle_in, vehicle_kind, transfer_first, transfer_off_at, activity_kind, activity_cause, activity_party, activity_from, activity_to,
    activity_source, activity_bound_for, version) VALUES
('C3', 'container', 'C3/1', 'west', 1, '2026-03-01 05:00:00', true, 'open', 'A', 'train', 'A', '2026-03-01 09:00:00', ['customs', 'technical_inspection', 'waiting_wagons', 'held'], ['', '', '', ''], ['', '', '', ''],
    ['2026-03-01 04:00:00', '2026-03-01 05:30:00', '2026-03-01 06:00:00', '2026-03-01 05:00:00'], ['2026-03-01 06:00:00', '2026-03-01 06:30:00', 0, 0], ['s', 's', 's', 's'], ['', '', '', 'b'], 2);

-- A's tracker is silent for good, B and X only report. B is to go on to away.
INSERT INTO DB.train_status (run, unit_kind, state, seen_at, has_position, lat_e7, place, last_place, since, standing, wagons, containers, version) VALUES
('A', 'train', 'closed', '2026-03-01 09:00:00', true, 442000000, '', 'west', '2026-03-01 09:00:00', true, 10, 20, 1),
('B', 'train', 'open', '2026-03-01 12:00:00', false, 0, 'west', 'west', '2026-03-01 10:00:00', false, 5, 2, 1),
('X', 'train', 'open', '2026-03-02 00:00:00', true, 450000000, '', 'east', '2026-03-02 00:00:00', false, 5, 9, 1);
INSERT INTO DB.train_events (source, id, verb, unit_kind, subject, time, stop_place, stop_arrival, stop_departure, retracts_id) VALUES
('s', 'p1', 'planned', 'train', 'B', '2026-03-01 08:00:00', ['west', 'mid'], [0, '2026-03-02 05:00:00'], [0, 0], ''),
('s', 'p2', 'planned', 'train', 'B', '2026-03-01 09:00:00', ['west', 'away'], [0, '2026-03-02 06:00:00'], [0, 0], ''),
('s', 'p3', 'planned', 'train', 'B', '2026-03-01 09:30:00', ['west', 'mid'], [0, '2026-03-02 05:00:00'], [0, 0], ''),
('s', 'p4', 'retracted', 'train', 'B', '2026-03-01 09:40:00', [], [], [], 'p3');

-- Of two legs of a section one arrived ten minutes before it had departed, by the clocks. C1's journey fits several corridors.
INSERT INTO DB.legs (unit, unit_kind, journey, from_place, to_place, n, vehicle, started_at, departed_at, arrived_at, km, stop_s, standing_s,
    moving_s, elapsed_s, mode, section, from_country, to_country, corridor, corridor_basis, direction, state, version) VALUES
('A', 'train', 'A', 'east', 'west', 1, 'A', '2026-03-01 00:00:00', '2026-03-01 04:00:00', '2026-03-01 05:00:00', 20, 14400, 14400, 3600, 18000, 'rail', 's2', 'AA', 'BB', 'c1', 'observed', 'c1:up', 'closed', 1),
('X', 'train', 'X', 'east', 'west', 1, 'X', '2026-03-01 00:00:00', '2026-03-01 04:00:00', '2026-03-01 03:50:00', 20, 14400, 14400, -600, 13800, 'rail', 's2', 'AA', 'BB', 'c1', 'observed', 'c1:up', 'closed', 1),
('C1', 'container', 'C1/1', 'east', 'west', 1, 'A', '2026-03-01 04:00:00', '2026-03-01 04:00:00', '2026-03-01 05:00:00', 20, 0, 0, 3600, 3600, 'rail', 's2', 'AA', 'KZ', 'c1', 'ambiguous', 'c1:up', 'closed', 1),
('C3', 'container', 'C3/1', 'east', 'west', 1, 'A', '2026-03-01 04:00:00', '2026-03-01 04:00:00', '2026-03-01 05:00:00', 20, 0, 0, 3600, 3600, 'rail', 's2', 'AA', 'BB', 'c1', 'observed', 'c1:up', 'closed', 1);
