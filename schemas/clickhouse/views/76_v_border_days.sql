CREATE OR REPLACE VIEW {{.Database}}.v_border_days
(
    railway_day Date COMMENT 'railway day: from 18:00 to 18:00 by the clocks of the side, named by the day on which it ends; so the two sides of a border have different ones',
    day_ends Nullable({{time}}) COMMENT 'end of the day, UTC; begin included, end not. Later than v_now: the day goes on',
    border LowCardinality(String) COMMENT 'catalogue id of the border',
    border_name String COMMENT 'name of the border',
    direction LowCardinality(String) COMMENT 'from_country-to_country',
    role LowCardinality(String) COMMENT 'outbound or inbound side',
    country LowCardinality(String) COMMENT 'ISO country code of the side',
    unit_kind LowCardinality(String) COMMENT 'train or vessel',
    arrived Int64 COMMENT 'trains or vessels that came to the side',
    formed Int64 COMMENT 'trains that were formed on it, as where the gauge changes: of what came over the border, or to go over it. Counted once their containers tell which way they go',
    departed Int64 COMMENT 'left the side this way, over the border or inland; not those that ended there',
    ended Int64 COMMENT 'ended on it: their load goes on in another train',
    on_hand Int64 COMMENT 'at the end of the day (or now): arrived, neither departed nor ended',
    on_hand_formed Int64 COMMENT 'at the end of the day (or now): formed and not departed. One load can stand in on_hand and here for some hours',
    on_hand_containers Int64 COMMENT 'at the end of the day (or now): containers on the side, on a train or on the ground, empty ones too; each once',
    offered Int64 COMMENT 'hand-overs offered (outbound side); a second offer counts again',
    accepted Int64 COMMENT 'hand-overs accepted (inbound side), also of trains that arrive on a later day',
    refused Int64 COMMENT 'hand-overs refused or returned (inbound side)',
    held_upstream Int64 COMMENT 'at the end of the day (or now): trains held for this border and direction before it (outbound side)',
    planned Nullable(Float64) COMMENT 'trains agreed for the day and direction (outbound side), see v_plans; NULL: none is known',
    shortfall Nullable(Float64) COMMENT 'planned less departed, on the outbound side of a day that is over; negative: more went than was agreed'
)
COMMENT 'The board of a border by railway days, as stations balance it: on_hand of a day = on_hand of the day before + arrived - departed - ended, of those that arrived; the same of those formed. Each side from the first day on which something stood there to that of v_now. Of a unit that nobody saw come, or that was lost, the day is that on which it was first or last known. Trains where v_borders_now has what stands there now.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
    (t, z) -> toDate(substring(toString(t + INTERVAL 6 HOUR, z), 1, 10)) AS day_of,
    d -> toDateTime64(d, 3, 'UTC') + INTERVAL 18 HOUR AS evening,
    crossers AS (
        SELECT unit, unit_kind, border, direction, role, country, places, began AS came, ended AS went, state, known_at,
            begins_here AS formed, role = 'inbound' AND ends_here AS broken_up
        FROM {{.Database}}.crossing_sides WHERE unit_kind IN ('train', 'vessel') AND state != 'none'
    ),
    -- Trains that only begin or end there: what they take over came over the border, what they hand on goes over it.
    inland AS (
        SELECT v.unit AS unit, v.unit_kind AS unit_kind, s.border AS border, s.direction AS direction, s.role AS role, any(s.country) AS country, any(s.places) AS places,
            min(coalesce(v.entered, v.arrived)) AS came, if(countIf(isNull(v.departed)) > 0, NULL, max(v.departed)) AS went,
            if(countIf(v.state = 'lost') > 0, 'lost', 'closed') AS state, max(v.known_at) AS known_at, s.role = 'inbound' AS formed, s.role = 'outbound' AS broken_up
        FROM {{.Database}}.v_visits AS v
        GLOBAL INNER JOIN (
            SELECT if(c.role = 'inbound', l.run_b, l.run_a) AS run, c.border AS border, c.direction AS direction, c.role AS role, any(c.country) AS country, any(c.places) AS places
            FROM {{.Database}}.v_train_links AS l
            GLOBAL INNER JOIN crossers AS c ON c.unit = if(c.role = 'inbound', l.run_a, l.run_b)
            WHERE l.confidence != 'low' AND has(c.places, l.place)
            GROUP BY run, border, direction, role
        ) AS s ON s.run = v.unit
        WHERE has(s.places, v.place) AND (v.unit, s.border) GLOBAL NOT IN (SELECT unit, border FROM crossers)
        GROUP BY unit, unit_kind, border, direction, role
    ),
    stays AS (
        SELECT unit, unit_kind, border, direction, role, country, zone, formed, broken_up, came, went,
            coalesce(came, went) AS counted_from, coalesce(went, if(state = 'lost', known_at, NULL)) AS counted_to
        FROM (
            SELECT *, dictGetOrDefault('{{.Database}}.places', 'zone', tuple(places[1]), 'UTC') AS zone
            FROM (SELECT * FROM crossers UNION ALL SELECT * FROM inland)
        )
        WHERE isNotNull(counted_from)
    ),
    sides AS (
        SELECT t.border AS border, t.direction AS direction, t.role AS role, t.unit_kind AS unit_kind, any(t.country) AS country, any(t.zone) AS zone,
            min(day_of(assumeNotNull(t.counted_from), t.zone)) AS first
        FROM stays AS t GROUP BY border, direction, role, unit_kind
    ),
    moves AS (
        SELECT border, direction, role, unit_kind, day_of(assumeNotNull(counted_from), zone) AS day,
            toInt64(isNotNull(came) AND NOT formed) AS arrived, toInt64(formed) AS formed, toInt64(0) AS departed, toInt64(0) AS ended,
            toInt64(NOT s.formed) AS stock, toInt64(s.formed) AS stock_formed, toInt64(0) AS boxes, toInt64(0) AS offered, toInt64(0) AS accepted, toInt64(0) AS refused, toInt64(0) AS held
        FROM stays AS s
        UNION ALL
        SELECT border, direction, role, unit_kind, day_of(assumeNotNull(counted_to), zone),
            0, 0, isNotNull(went) AND NOT broken_up, isNotNull(went) AND broken_up, -toInt64(NOT formed), -toInt64(formed), 0, 0, 0, 0, 0
        FROM stays WHERE isNotNull(counted_to)
        UNION ALL
        SELECT border, direction, role, s.unit_kind, day_of(assumeNotNull(b.at), s.zone), 0, 0, 0, 0, 0, 0, b.step, 0, 0, 0, 0
        FROM (
            SELECT border, direction, role, arrayJoin(arrayFilter(x -> isNotNull(x.1), [(coalesce(began, ended), 1), (coalesce(ended, if(state = 'lost', known_at, NULL)), -1)])) AS move,
                move.1 AS at, move.2 AS step
            FROM {{.Database}}.crossing_sides WHERE unit_kind = 'container' AND state != 'none' AND isNotNull(coalesce(began, ended))
        ) AS b
        GLOBAL INNER JOIN (SELECT border, direction, role, min(unit_kind) AS unit_kind, any(zone) AS zone FROM sides GROUP BY border, direction, role) AS s USING (border, direction, role)
        UNION ALL
        SELECT s.border, s.direction, s.role, s.unit_kind, day_of(e.time, s.zone), 0, 0, 0, 0, 0, 0, 0,
            e.step = 'offered' AND s.role = 'outbound', e.step = 'accepted' AND s.role = 'inbound', e.step IN ('refused', 'returned') AND s.role = 'inbound', 0
        FROM (
            SELECT DISTINCT unit, unit_kind, border, time, step FROM {{.Database}}.v_events
            WHERE event = 'handover' AND NOT retracted AND classifier = 'actual'
        ) AS e
        GLOBAL INNER JOIN (SELECT unit, border, max(direction) AS direction FROM crossers GROUP BY unit, border) AS c ON c.unit = e.unit AND c.border = e.border
        GLOBAL INNER JOIN sides AS s ON s.border = e.border AND s.direction = c.direction AND s.unit_kind = e.unit_kind
        UNION ALL
        SELECT s.border, s.direction, s.role, s.unit_kind, day_of(assumeNotNull(h.at), s.zone), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, h.step
        FROM (
            SELECT act.bound_for AS border, unit_kind, country, arrayJoin(arrayFilter(x -> isNotNull(x.1), [(act.from, 1), (act.to, -1)])) AS move, move.1 AS at, move.2 AS step
            FROM (SELECT unit_kind, country, arrayJoin(activities) AS act FROM {{.Database}}.v_visits WHERE unit_kind IN ('train', 'vessel'))
            WHERE act.kind = 'held' AND act.bound_for != ''
        ) AS h
        GLOBAL INNER JOIN (SELECT * FROM sides WHERE role = 'outbound') AS s ON s.border = h.border AND s.unit_kind = h.unit_kind
        WHERE s.country = h.country
        UNION ALL
        SELECT border, direction, role, unit_kind, arrayJoin(arrayMap(d -> toDate(d), range(toUInt32(first), toUInt32(day_of(assumeNotNull(stage_time), zone)) + 1))),
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM sides
    ),
    daily AS (
        SELECT border, direction, role, unit_kind, day, sum(arrived) AS arrived, sum(formed) AS formed, sum(departed) AS departed, sum(ended) AS ended, sum(stock) AS stock,
            sum(stock_formed) AS stock_formed, sum(boxes) AS boxes, sum(offered) AS offered, sum(accepted) AS accepted, sum(refused) AS refused, sum(held) AS held
        FROM moves GROUP BY border, direction, role, unit_kind, day
    )
SELECT
    d.day AS railway_day,
    evening(d.day) - toIntervalSecond(dateDiff('second', evening(d.day), parseDateTime64BestEffort(toString(evening(d.day), s.zone), 3, 'UTC'))) AS day_ends,
    d.border AS border, {{border "d.border"}} AS border_name, d.direction AS direction, d.role AS role, s.country AS country, d.unit_kind AS unit_kind,
    d.arrived AS arrived, d.formed AS formed, d.departed AS departed, d.ended AS ended,
    sum(d.stock) OVER so_far AS on_hand, sum(d.stock_formed) OVER so_far AS on_hand_formed, sum(d.boxes) OVER so_far AS on_hand_containers,
    d.offered AS offered, d.accepted AS accepted, d.refused AS refused, sum(d.held) OVER so_far AS held_upstream,
    if(d.role = 'outbound' AND p.known, p.trains, NULL) AS planned,
    if(day_ends <= stage_time, planned - d.departed, NULL) AS shortfall
FROM daily AS d
GLOBAL INNER JOIN sides AS s ON s.border = d.border AND s.direction = d.direction AND s.role = d.role AND s.unit_kind = d.unit_kind
GLOBAL LEFT JOIN (
    SELECT border, replaceAll(direction, '>', '-') AS direction, date, argMax(trains, (announced_at, id)) AS trains, true AS known FROM {{.Database}}.v_plans GROUP BY border, direction, date
) AS p ON p.border = d.border AND p.direction = d.direction AND p.date = d.day AND d.unit_kind = 'train'
WINDOW so_far AS (PARTITION BY d.border, d.direction, d.role, d.unit_kind ORDER BY d.day)
