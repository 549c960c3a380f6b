package main

import (
	"slices"
	"strings"

	"corridorwatch/schemas/clickhouse"
)

// factsOfDelays are the stays at borders by the crossings alone, not by what the delay stage wrote. A stay is on one side of which places were
// seen, or over both; that over both has an end only if both were seen. here: it goes on; neither here nor gone: it was lost, or nobody knows
// when it ended, so it waits at no time. A time below 0 (clocks that oppose) is none. samples are what is counted: over both sides all wagons or
// containers that arrived together are one, from the first that came to the last that went; its time is their median, and lost ones do not count.
const factsOfDelays = `WITH
	3600000 AS hour_ms, 28 * 24 * hour_ms AS window_ms, (SELECT toUnixTimestamp64Milli(assumeNotNull(now)) FROM v_now) AS now_ms,
	stays AS (
		SELECT unit, toString(unit_kind) AS kind, journey, toString(border) AS border, n, toString(role) AS role, toString(direction) AS direction,
			toString(area) AS area, '' AS together, toUnixTimestamp64Milli(began) AS came,
			if(state = 'closed', toUnixTimestamp64Milli(ended), NULL) AS went, state IN ('open', 'silent') AS here, if(side_s >= 0, side_s, NULL) AS took
		FROM v_crossing_sides WHERE notEmpty(places)
		UNION ALL
		SELECT unit, toString(unit_kind), journey, toString(border), n, 'pair', toString(direction),
			toString(area), consist, toUnixTimestamp64Milli(outbound_entered),
			if(isNotNull(total_s) AND notEmpty(inbound_places), toUnixTimestamp64Milli(inbound_left), NULL), state IN ('open', 'silent'),
			if(total_s >= 0 AND notEmpty(inbound_places), total_s, NULL)
		FROM v_crossings WHERE notEmpty(outbound_places) AND isNotNull(outbound_entered)
	),
	samples AS (
		SELECT area, border, role, direction, kind, came, went, here, took FROM stays WHERE together = ''
		UNION ALL
		SELECT any(area), border, role, direction, kind, min(came), if(max(here), NULL, max(went)), max(here),
			if(max(here), NULL, toInt64(floor(quantileExactInclusive(0.5)(took))))
		FROM stays WHERE together != '' AND (here OR isNotNull(went)) GROUP BY border, role, direction, kind, together
	)`

// delaysBySQL works the views of the delay stage out of the facts, column by column as they have them, by what docs/alerts.md and the comments
// of the columns say. Held upstream are trains of which a visit in the country that is left says so, until it says that they go on.
var delaysBySQL = map[string]string{
	"v_delay_stats": `, held AS (
		SELECT b.area AS area, b.border AS border, b.direction AS direction, v.unit AS unit, v.kind AS kind,
			toUnixTimestamp64Milli(tupleElement(act, 'from')) AS came, toUnixTimestamp64Milli(tupleElement(act, 'to')) AS went
		FROM (SELECT unit, toString(unit_kind) AS kind, toString(country) AS country, arrayJoin(activities) AS act FROM v_visits WHERE unit_kind IN ('train', 'vessel')) AS v
		INNER JOIN v_catalogue_borders AS b ON b.border = act.bound_for AND b.from_country = v.country
		WHERE act.kind = 'held'
	)
	SELECT area, border, role, direction, kind, fromUnixTimestamp64Milli(toInt64(hour * hour_ms), 'UTC'), countIf(gone AND isNotNull(took)), avgIf(took, gone),
		quantileExactInclusiveIf(0.5)(took, gone), quantileExactInclusiveIf(0.9)(took, gone), quantileExactInclusiveIf(0.95)(took, gone), maxIf(took, gone),
		countIf(waits AND upstream = '') AS waiting, ifNull(maxIf(intDiv(over_at - came, 1000), waits AND upstream = ''), 0),
		uniqExactIf(upstream, waits AND upstream != '') AS held_upstream, countIf(upstream = '' AND intDiv(came, hour_ms) = hour) AS arrivals, countIf(gone) AS releases
	FROM (
		SELECT *, arrayJoin(range(intDiv(least(from_ms, to_ms), hour_ms), intDiv(greatest(from_ms, to_ms), hour_ms) + 1)) AS hour, (hour + 1) * hour_ms AS over_at,
			ifNull(upstream = '' AND intDiv(went, hour_ms) = hour, false) AS gone, ifNull(came < over_at AND (here OR went >= over_at), false) AS waits
		FROM (
			SELECT *, toUInt64(assumeNotNull(coalesce(came, went))) AS from_ms, toUInt64(assumeNotNull(multiIf(here, now_ms, isNotNull(went), went, came))) AS to_ms
			FROM (SELECT *, '' AS upstream FROM samples UNION ALL SELECT area, border, 'outbound', direction, kind, came, went, isNull(went), NULL, unit FROM held)
			WHERE isNotNull(coalesce(came, went))
		)
	)
	WHERE over_at <= now_ms GROUP BY area, border, role, direction, kind, hour HAVING waiting + held_upstream + arrivals + releases > 0`,
	"v_crossing_delays": `
	SELECT s.unit, s.kind, s.journey, s.border, s.n, s.role, s.direction, s.area, if(enough, toInt64(floor(arrayReduce('quantileExactInclusive(0.5)', before))), NULL) AS usual_s,
		if(enough, toInt64(floor(arrayReduce('quantileExactInclusive(0.95)', before))), NULL), length(before),
		if(s.role = 'pair' AND s.kind IN ('wagon', 'container'), 'consist', s.kind),
		multiIf(enough, 'usual', multiIf(s.role = 'outbound', c.outbound_has_norm, s.role = 'inbound', c.inbound_has_norm, c.has_norm), 'norm', 'none'), s.took - usual_s
	FROM (
		SELECT *, arrayMap(a -> a.2, arrayFilter(a -> a.1 >= since - window_ms AND a.1 < since, known)) AS before, length(before) >= 20 AS enough
		FROM (SELECT *, assumeNotNull(came) AS since FROM stays WHERE isNotNull(came)) AS t
		LEFT JOIN (
			SELECT border, role, direction, kind, groupArray((assumeNotNull(went), assumeNotNull(took))) AS known FROM samples WHERE isNotNull(took) GROUP BY border, role, direction, kind
		) AS u USING (border, role, direction, kind)
	) AS s
	INNER JOIN (SELECT * FROM crossings FINAL) AS c ON c.unit = s.unit AND c.journey = s.journey AND c.border = s.border AND c.n = s.n`,
}

// matchDelays holds every row of the views of the delay stage against delaysBySQL. shown are statements that must be true, so that there is
// something to compare.
func (s *service) matchDelays(shown ...string) {
	s.t.Helper()
	for view, sql := range delaysBySQL {
		ask := func(sql string) []string {
			return slices.Sorted(strings.Lines(s.run("query", "--format", "TSV", sql)))
		}
		got, want := ask("SELECT * EXCEPT (border_name, known_at) FROM "+view), ask(factsOfDelays+sql)
		if diff := clickhouse.Diff(map[string][]string{view: got}, map[string][]string{view: want}, 20); diff != "" {
			s.t.Errorf("the view (first) and what SQL makes of the facts (second): %s", diff)
		}
		s.t.Logf("%s: %d rows compared", view, len(want))
	}
	for _, sql := range shown {
		if got := s.run("query", "--format", "TSV", "SELECT "+sql); got != "1\n" {
			s.t.Errorf("too little to compare: %s is %s", sql, got)
		}
	}
}
