-- Stage time is 2026-03-02 00:00: the slowest task has got that far.
INSERT INTO DB.ticks VALUES ('visits', 0, 'dwell', 0, 1772409600000), ('visits', 1, 'dwell', 1, 1772413200000);

-- R1 stood six hours at east with customs from 1 to 3 and an inspection from 2 to 4, passed mid, and stands at west.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, arrived_basis, departed, stopped, state, activity_kind, activity_cause,
    activity_party, activity_from, activity_to, activity_source, activity_bound_for, planned_arrival, direction, version) VALUES
('R1', 'train', 'R1', 'east', 1, '2026-03-01 00:00:00', 'report', '2026-03-01 06:00:00', true, 'closed', ['customs', 'inspection'], ['', 'documents'],
    ['', ''], ['2026-03-01 01:00:00', '2026-03-01 02:00:00'], ['2026-03-01 03:00:00', '2026-03-01 04:00:00'], ['s', 's'], ['', ''],
    '2026-02-28 23:00:00', 'c1:up', 1);
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, entered, "left", stopped, state, version) VALUES
('R1', 'train', 'R1', 'mid', 1, '2026-03-01 07:00:00', '2026-03-01 07:01:30', false, 'closed', 2);
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, stopped, state, version) VALUES
('R1', 'train', 'R1', 'west', 1, '2026-03-01 08:00:00', true, 'open', 3),
('R2', 'train', 'R2', 'east', 1, '2026-03-01 12:00:00', true, 'silent', 4);

-- The container was there for eight hours, and a second visit turned out not to have been.
INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, vehicle_out, version, deleted) VALUES
('C1', 'container', 'C1/20260301', 'east', 1, '2026-03-01 00:00:00', '2026-03-01 08:00:00', true, 'closed', 'R1', 1, 0),
('C1', 'container', 'C1/20260301', 'east', 2, '2026-03-01 09:00:00', '2026-03-01 10:00:00', true, 'closed', '', 2, 0),
('C1', 'container', 'C1/20260301', 'east', 2, '2026-03-01 09:00:00', '2026-03-01 10:00:00', true, 'closed', '', 3, 1);

INSERT INTO DB.legs (unit, unit_kind, journey, from_place, to_place, n, vehicle, started_at, departed_at, arrived_at, km, stop_s, standing_s,
    moving_s, elapsed_s, mode, section, corridor, corridor_basis, border, state, version) VALUES
('R1', 'train', 'R1', 'east', 'west', 1, 'R1', '2026-03-01 00:00:00', '2026-03-01 06:00:00', '2026-03-01 08:00:00', 100, 21600, 21600,
    7200, 28800, 'rail', 'east-west', 'c1', 'observed', 'b', 'closed', 1),
('R2', 'train', 'R2', 'home', 'east', 1, 'R2', '2026-03-01 10:00:00', '2026-03-01 10:00:00', '2026-03-01 12:00:00', 50, 0, 0,
    7200, 7200, 'rail', 'home-east', 'c1', 'planned', '', 'closed', 2),
('R3', 'train', 'R3', 'home', 'away', 1, 'R3', '2026-03-01 10:00:00', '2026-03-01 10:00:00', '2026-03-01 12:00:00', 50, 0, 0,
    7200, 7200, 'rail', '', 'c2', 'ambiguous', '', 'closed', 3),
('C1', 'container', 'C1/20260301', 'home', 'east', 1, 'R9', '2026-02-28 00:00:00', '2026-02-28 00:00:00', '2026-03-01 00:00:00', 50, 0, 0,
    86400, 86400, 'rail', 'home-east', 'c2', 'observed', '', 'closed', 4);

-- R1 has left the outbound side, two hours beyond the norm, and waits on the inbound side; R2 waits on the outbound side.
INSERT INTO DB.crossings (unit, unit_kind, journey, border, n, from_country, to_country,
    outbound_role, outbound_country, outbound_places, outbound_arrived, outbound_departed, outbound_seconds, outbound_has_norm, outbound_norm_s, outbound_delay_norm_s, outbound_state,
    inbound_role, inbound_country, inbound_places, inbound_arrived, inbound_has_norm, inbound_norm_s, inbound_state,
    running_s, has_norm, norm_s, candidate, state, corridor, area, version) VALUES
('R1', 'train', 'R1', 'b', 1, 'AA', 'BB',
    'outbound', 'AA', ['east'], '2026-03-01 00:00:00', '2026-03-01 06:00:00', 21600, true, 14400, 7200, 'closed',
    'inbound', 'BB', ['west'], '2026-03-01 08:00:00', true, 28800, 'open', 7200, true, 43200, false, 'open', 'c1', 'area', 1),
('R2', 'train', 'R2', 'b', 1, 'AA', 'BB',
    'outbound', 'AA', ['east'], '2026-03-01 12:00:00', 0, 0, true, 14400, 0, 'silent',
    '', '', [], 0, false, 0, 'none', 0, true, 43200, true, 'open', 'c1', 'area', 2);

-- R0 crossed in ten hours; the total is inferred.
INSERT INTO DB.crossings (unit, unit_kind, journey, border, n, from_country, to_country,
    outbound_role, outbound_country, outbound_places, outbound_entered, outbound_left, outbound_seconds, outbound_state,
    inbound_role, inbound_country, inbound_places, inbound_entered, inbound_left, inbound_seconds, inbound_state,
    running_s, total_s, total_basis, total_earliest_s, total_latest_s, state, corridor, area, version) VALUES
('R0', 'train', 'R0', 'b', 1, 'AA', 'BB',
    'outbound', 'AA', ['east'], '2026-02-20 00:00:00', '2026-02-20 04:00:00', 14400, 'closed',
    'inbound', 'BB', ['west'], '2026-02-20 05:00:00', '2026-02-20 10:00:00', 18000, 'closed', 3600, 36000, 'inferred', 30000, 40000, 'closed', 'c1', 'area', 3);

INSERT INTO DB.train_status (run, unit_kind, state, seen_at, lat_e7, lon_e7, has_position, place, since, version) VALUES
('R1', 'train', 'open', '2026-03-01 23:59:00', 442000000, 801000000, true, 'west', '2026-03-01 08:00:00', 1),
('R2', 'train', 'silent', '2026-03-01 13:00:00', 0, 0, false, 'east', '2026-03-01 12:00:00', 2);

INSERT INTO DB.rejects (id, source, reason, value, at, attempts, accepted_at) VALUES
    ('0-1-0', 's', 'unknown_place', '{}', '2026-03-01 10:00:00', 2, '2026-03-01 11:00:00'),
    ('0-1-0', 's', 'unknown_place', '{}', '2026-03-01 10:00:00', 1, 0),
    ('0-2-0', 's', 'unreadable', 'x', '2026-03-01 10:00:00', 1, 0);
-- The same file once more, later: neither is a new reject, and the accepted one stays accepted.
INSERT INTO DB.rejects (id, source, reason, value, at, attempts, accepted_at) VALUES
    ('0-1-0', 's', 'unknown_place', '{}', '2026-03-01 12:00:00', 1, 0), ('0-2-0', 's', 'unreadable', 'x', '2026-03-01 12:00:00', 1, 0);

-- A second declaration replaces the first, a third one by another note was retracted.
INSERT INTO DB.shipments (source, id, verb, subject, time, note, origin, destination, goods_hs, goods_description, goods_weight_kg,
    goods_value, goods_currency, unit_id, unit_share, milestone, retracts_id) VALUES
('s', '1', 'declared', 'K1', '2026-03-01 00:00:00', 'N1', 'east', 'west', ['0101'], ['horses'], [100], [5], ['USD'], ['C1'], [nan], '', ''),
('s', '2', 'declared', 'K1', '2026-03-01 01:00:00', 'N1', 'east', 'west', ['0101', '0102'], ['horses', 'cattle'], [100, 50.5], [5, 6], ['USD', 'USD'], ['C1', 'C2'], [0.5, nan], '', ''),
('s', '3', 'declared', 'K1', '2026-03-01 02:00:00', 'N3', 'east', 'west', [], [], [], [], [], [], [], '', ''),
('s', '4', 'retracted', 'K1', '2026-03-01 03:00:00', '', '', '', [], [], [], [], [], [], [], '', '3'),
('s', '5', 'milestone', 'K1', '2026-03-01 04:00:00', '', '', '', [], [], [], [], [], [], [], 'gate_in', '');
INSERT INTO DB.shipments (source, id, verb, subject, time, note, replaces) VALUES
('s', '6', 'declared', 'K2', '2026-03-01 05:00:00', 'N2', 'N1');

-- R4 was not seen at east; R5 is lost on the inbound side.
INSERT INTO DB.crossings (unit, unit_kind, journey, border, n, from_country, to_country,
    outbound_role, outbound_country, outbound_entered, outbound_entered_basis, outbound_entered_earliest, outbound_left, outbound_state,
    inbound_role, inbound_country, inbound_places, inbound_entered, inbound_left, inbound_seconds, inbound_state,
    total_s, total_basis, total_earliest_s, total_latest_s, state, version) VALUES
('R4', 'train', 'R4', 'b2', 1, 'AA', 'BB', 'outbound', 'AA', '2026-02-20 05:00:00', 'inferred', '2026-02-20 01:00:00', '2026-02-20 05:00:00', 'closed',
    'inbound', 'BB', ['west'], '2026-02-20 05:00:00', '2026-02-20 10:00:00', 18000, 'closed', 18000, 'inferred', 18000, 32400, 'closed', 4),
('R5', 'train', 'R5', 'b2', 1, 'AA', 'BB', 'outbound', 'AA', 0, 'none', 0, 0, 'none',
    'inbound', 'BB', ['west'], '2026-02-01 05:00:00', 0, 0, 'lost', 0, '', 0, 0, 'open', 5);

-- R2 is overdue: told at 20:00, and again as severer at 23:00, which the next epoch told anew; another alert was taken back by it.
INSERT INTO DB.alerts_history (fingerprint, kind, severity, area, border, role, direction, unit, unit_kind, corridors, since, updated, firing, revision, summary, value,
    baseline, baseline_basis, evidence, known_at, version, deleted) VALUES
('overdue|area|b|outbound|AA-BB||R2', 'overdue', 'info', 'area', 'b', 'outbound', 'AA-BB', 'R2', 'train', ['c1'], '2026-03-01 12:00:00', '2026-03-01 20:00:00', true, 1, 'R2 has waited 8 h', 8, 4, 'norm', 'norm', '2026-03-01 20:00:00', 1, 0),
('overdue|area|b|outbound|AA-BB||R2', 'overdue', 'ticket', 'area', 'b', 'outbound', 'AA-BB', 'R2', 'train', ['c1'], '2026-03-01 12:00:00', '2026-03-01 23:00:00', true, 2, 'R2 has waited 11 h', 11, 4, 'norm', 'norm', '2026-03-01 23:00:00', 2, 0),
('overdue|area|b|outbound|AA-BB||R2', 'overdue', 'ticket', 'area', 'b', 'outbound', 'AA-BB', 'R2', 'train', ['c1'], '2026-03-01 12:00:00', '2026-03-01 23:00:00', true, 2, 'R2 has waited 11 h', 11, 4, 'norm', 'norm', '2026-03-01 23:30:00', 11, 0),
('feed_silent|area|||||', 'feed_silent', 'page', 'area', '', '', '', '', 'none', [], '2026-03-01 12:00:00', '2026-03-01 15:00:00', true, 1, 'nothing has been heard', 3, 10, 'usual', '', '2026-03-01 15:00:00', 3, 0),
('feed_silent|area|||||', '', '', 'area', '', '', '', '', 'none', [], 0, 0, false, 0, '', 0, 0, '', '', '2026-03-01 23:30:00', 12, 1);
INSERT INTO DB.alerts SELECT * FROM DB.alerts_history;

-- In force at the border b for both directions; another is over.
INSERT INTO DB.restrictions (source, id, verb, subject, time, effect, limit_per_day, direction, from_time, until_time, reason, reference) VALUES
('s', '20', 'restriction', 'b', '2026-03-01 00:00:00', 'limited', 6, '', '2026-03-01 00:00:00', 0, 'works', 'telegram 7'),
('s', '21', 'restriction', 'b', '2026-02-20 00:00:00', 'closed', nan, '', '2026-02-20 00:00:00', '2026-02-21 00:00:00', 'wind', 'telegram 6');
