CREATE OR REPLACE VIEW {{.Database}}.v_border_days
(
    railway_day Date COMMENT 'railway day of the side, by its clocks and from the hour on that the catalogue says (v_catalogue_borders; 18:00 unless it does), named by the date on which it ends, by that on which it begins if that is before noon; so the two sides of a border have different ones',
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
COMMENT 'The board of a border by railway days, as stations balance it: on_hand of a day = on_hand of the day before + arrived - departed - ended, of those that arrived; the same of those formed. Each side from the first day on which something stood there to that of v_now. Of a unit that nobody saw come, or that was lost, the day is that on which it was first or last known. What stands there now by kind and how long is in v_borders_now.'
AS WITH
    (SELECT now FROM {{.Database}}.v_now) AS stage_time,
    -- What clocks of a zone show at a time, and how many seconds they are ahead of UTC then; both as if it were UTC.
    (t, z) -> toDateTime64(toString(t, z), 3, 'UTC') AS shown,
    (t, z) -> dateDiff('second', t, shown(t, z)) AS ahead,
    -- A day begins so many minutes after the midnight that begins the date of its name: before it, where that is the date on which it ends.
    (t, z, begins) -> toDate(shown(t, z) - toIntervalMinute(begins)) AS day_of,
    (d, begins) -> toDateTime64(d, 3, 'UTC') + toIntervalMinute(1440 + begins) AS end_shown,
    (t, z) -> t - toIntervalSecond(ahead(t - toIntervalSecond(ahead(t, z)), z)) AS moment_of,
    clocks AS (
        SELECT id AS border, side.1 AS country, side.2 AS zone, if(side.3 < 720, 0, -1440) + side.3 AS begins
        FROM {{.Database}}.catalogue_borders ARRAY JOIN [(country_a, zone_a, day_start_a), (country_b, zone_b, day_start_b)] AS side
    ),
    crossers AS (
        SELECT unit, border, concat(from_country, '-', to_country) AS direction, side.1 AS role, side.2 AS country, side.3 AS places
        FROM {{from "crossings"}} FINAL
        ARRAY JOIN [('outbound', toString(outbound_country), outbound_places, toString(outbound_state)), ('inbound', toString(inbound_country), inbound_places, toString(inbound_state))] AS side
        WHERE unit_kind IN ('train', 'vessel') AND side.4 != 'none'
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
    -- Both directions of each border, with a place of each side.
    flows AS (
        SELECT border, concat(from_country, '-', to_country) AS direction, from_country, to_country, from_place, to_place
        FROM (
            SELECT id AS border, arrayJoin([(country_a, country_b, places_a[1], places_b[1]), (country_b, country_a, places_b[1], places_a[1])]) AS way,
                way.1 AS from_country, way.2 AS to_country, way.3 AS from_place, way.4 AS to_place
            FROM {{.Database}}.catalogue_borders
        )
    ),
    -- What happened at a time; place is one of the side. Counts: arrived, formed, departed, ended; steps of on_hand, on_hand_formed,
    -- on_hand_containers; offered, accepted, refused; steps of held_upstream.
    happened AS (
        SELECT border, direction, role, if(load, if(dictGetOrDefault('{{.Database}}.borders', 'sea', tuple(toString(border)), 0) = 1, 'vessel', 'train'), unit_kind) AS unit_kind,
            country, places[1] AS place, move.1 AS at, move.2 AS counts
        FROM (
            SELECT *, coalesce(went, if(state = 'lost', known_at, NULL)) AS gone, arrayJoin(if(load,
                [(coalesce(came, went), [toInt64(0), 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]), (gone, [toInt64(0), 0, 0, 0, 0, 0, -1, 0, 0, 0, 0])],
                [(coalesce(came, went), [toInt64(isNotNull(came) AND NOT formed), toInt64(formed), 0, 0, toInt64(NOT formed), toInt64(formed), 0, 0, 0, 0, 0]),
                (gone, [0, 0, toInt64(isNotNull(went) AND NOT broken_up), toInt64(isNotNull(went) AND broken_up), -toInt64(NOT formed), -toInt64(formed), 0, 0, 0, 0, 0])])) AS move
            FROM (
                SELECT toString(unit_kind) AS unit_kind, border, direction, role, toString(country) AS country, places, began AS came, ended AS went, toString(state) AS state, known_at,
                    begins_here AS formed, role = 'inbound' AND ends_here AS broken_up, unit_kind = 'container' AS load
                FROM {{.Database}}.crossing_sides WHERE unit_kind != 'wagon' AND state != 'none'
                UNION ALL
                SELECT toString(unit_kind), border, direction, role, country, places, came, went, state, known_at, formed, broken_up, false FROM inland
            )
            WHERE isNotNull(coalesce(came, went))
        )
        UNION ALL
        SELECT f.border, f.direction, if(e.step = 'offered', 'outbound', 'inbound'), e.unit_kind,
            if(e.step = 'offered', f.from_country, f.to_country), if(e.step = 'offered', f.from_place, f.to_place), e.time,
            [0, 0, 0, 0, 0, 0, 0, toInt64(e.step = 'offered'), toInt64(e.step = 'accepted'), toInt64(e.step IN ('refused', 'returned')), 0]
        FROM (
            SELECT DISTINCT unit, unit_kind, border, time, step FROM {{.Database}}.v_events
            WHERE event = 'handover' AND NOT retracted AND classifier = 'actual'
        ) AS e
        GLOBAL INNER JOIN (SELECT unit, border, max(direction) AS direction FROM crossers GROUP BY unit, border) AS c ON c.unit = e.unit AND c.border = e.border
        GLOBAL INNER JOIN flows AS f ON f.border = e.border AND f.direction = c.direction
        UNION ALL
        SELECT f.border, f.direction, 'outbound', h.unit_kind, f.from_country, f.from_place, h.move.1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, h.move.2]
        FROM (
            SELECT act.bound_for AS border, unit_kind, country, arrayJoin([(act.from, toInt64(1)), (act.to, toInt64(-1))]) AS move
            FROM (SELECT unit_kind, country, arrayJoin(activities) AS act FROM {{.Database}}.v_visits WHERE unit_kind IN ('train', 'vessel'))
            WHERE act.kind = 'held' AND act.bound_for != ''
        ) AS h
        GLOBAL INNER JOIN flows AS f ON f.border = h.border AND f.from_country = h.country
    ),
    daily AS (
        SELECT border, direction, role, unit_kind, day, any(t.zone) AS zone, any(t.begins) AS begins, any(t.country) AS country, sumForEach(t.counts) AS counts
        FROM (
            -- Of a border that the catalogue has no more: by the clocks of the place, from 18:00 on.
            SELECT h.*, if(c.zone = '', dictGetOrDefault('{{.Database}}.places', 'zone', tuple(toString(h.place)), 'UTC'), c.zone) AS zone,
                if(c.zone = '', -360, c.begins) AS begins, day_of(assumeNotNull(h.at), zone, begins) AS day
            FROM happened AS h
            GLOBAL ANY LEFT JOIN clocks AS c ON c.border = h.border AND c.country = h.country
            WHERE isNotNull(h.at)
        ) AS t
        GROUP BY border, direction, role, unit_kind, day
    )
SELECT
    d.day AS railway_day,
    moment_of(end_shown(d.day, d.begins), d.zone) AS day_ends,
    d.border AS border, {{border "d.border"}} AS border_name, d.direction AS direction, d.role AS role,
    d.country AS country, d.unit_kind AS unit_kind,
    d.counts[1] AS arrived, d.counts[2] AS formed, d.counts[3] AS departed, d.counts[4] AS ended,
    sum(d.counts[5]) OVER so_far AS on_hand, sum(d.counts[6]) OVER so_far AS on_hand_formed, sum(d.counts[7]) OVER so_far AS on_hand_containers,
    d.counts[8] AS offered, d.counts[9] AS accepted, d.counts[10] AS refused, sum(d.counts[11]) OVER so_far AS held_upstream,
    if(d.role = 'outbound' AND p.known, p.trains, NULL) AS planned,
    if(day_ends <= stage_time, planned - departed, NULL) AS shortfall
FROM (
    SELECT border, direction, role, unit_kind, zone, begins, country, toDate(arrayJoin(range(toUInt32(arrayMin(days)), toUInt32(day_of(assumeNotNull(stage_time), zone, begins)) + 1))) AS day,
        indexOf(days, day) AS i, if(i = 0, arrayResize([toInt64(0)], 11, toInt64(0)), all[i]) AS counts
    FROM (
        SELECT border, direction, role, unit_kind, any(t.zone) AS zone, any(t.begins) AS begins, any(t.country) AS country, groupArray(t.day) AS days, groupArray(t.counts) AS all
        FROM daily AS t GROUP BY border, direction, role, unit_kind
    )
) AS d
GLOBAL LEFT JOIN (
    SELECT border, replaceAll(direction, '>', '-') AS direction, date, argMax(trains, (announced_at, id)) AS trains, true AS known FROM {{.Database}}.v_plans GROUP BY border, direction, date
) AS p ON p.border = d.border AND p.direction = d.direction AND p.date = d.day AND d.unit_kind = 'train'
WINDOW so_far AS (PARTITION BY d.border, d.direction, d.role, d.unit_kind ORDER BY d.day)
