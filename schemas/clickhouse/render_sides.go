package clickhouse

import "fmt"

// These are the words of views about the sides of a border; t is a row of crossings, side "outbound" or "inbound", or a row of one side of
// them, side "side".

// sideColumns are the columns of crossings that begin with the name of a side, as crossing_sides needs them.
func sideColumns() []string {
	columns := []string{"country", "places", "state", "seconds", "customs_s", "gauge_change_s", "other_s", "cause", "cause_s", "overlap_s", "unexplained_s",
		"has_norm", "norm_s", "has_plan", "plan_s", "delay_plan_s", "vehicles"}
	for _, moment := range []string{"entered", "arrived", "departed", "left"} {
		for _, suffix := range []string{"", "_basis", "_earliest", "_latest"} {
			columns = append(columns, moment+suffix)
		}
	}
	return columns
}

// runEnds is, for each run, where it begins and where it ended. A run that ends on a side, as trains do where the gauge changes, was on
// it for a part of the stay of its load only.
func (c Config) runEnds() string {
	return `    run_ends AS (
        SELECT
            unit, minIf(toString(place), origin) AS begins_at, minIf(if(toUnixTimestamp64Milli(departed) = 0, left, departed), origin) AS begun_until,
            maxIf(toString(place), terminus) AS ends_at, maxIf(departed, terminus) AS ended_at
        FROM ` + c.from("visits") + ` FINAL
        WHERE unit_kind IN ('train', 'vessel') AND (origin OR terminus)
        GROUP BY unit
    )`
}

// identities are, for each train of which one side of a border was seen and that bears another name on the other: that name, by the
// containers that came over with both, at least half of those that it brought to the border, or took on there; and what was said of handing it over under that name.
func (c Config) identities() string {
	return `    identities AS (
        SELECT i.unit AS unit, i.border AS border, i.direction AS direction, i.other AS other,
            h.offered_at AS offered_at, h.offered_again_at AS offered_again_at, h.accepted_at AS accepted_at, h.refused AS refused, h.refused_at AS refused_at, h.unit != '' AS told
        FROM (
            SELECT border, direction, names.1 AS unit, argMaxIf(names.2, (containers, names.2), names.2 NOT IN ('', unit)) AS other
            FROM (
                SELECT border, concat(from_country, '-', to_country) AS direction, count() AS containers,
                    arrayJoin([(outbound_vehicles[-1], inbound_vehicles[1]), (inbound_vehicles[1], outbound_vehicles[-1])]) AS names
                FROM ` + c.from("crossings") + ` FINAL
                WHERE unit_kind = 'container' AND notEmpty(outbound_vehicles)
                GROUP BY border, direction, names
            )
            GROUP BY border, direction, unit
            HAVING unit != '' AND other != '' AND 2 * maxIf(containers, names.2 NOT IN ('', unit)) >= sum(containers)
        ) AS i
        GLOBAL ANY LEFT JOIN (
            SELECT unit, border, concat(from_country, '-', to_country) AS direction, offered_at, offered_again_at, accepted_at, refused, refused_at
            FROM ` + c.from("crossings") + ` FINAL WHERE candidate AND unit_kind IN ('train', 'vessel')
        ) AS h ON h.unit = i.other AND h.border = i.border AND h.direction = i.direction
    )`
}

// otherIdentity is the name a train bears on the other side of the border, where that was seen under another.
const otherIdentity = "if(t.candidate AND t.unit_kind IN ('train', 'vessel'), i.other, '')"

// observed tells whether both ends of a side were told or seen by positions, and not only inferred from what was heard elsewhere. Where a run
// begins on the side it was first heard of there.
func observed(side string) string { return beganObserved(side) + " AND " + endObserved(side) }

func beganObserved(side string) string {
	return fmt.Sprintf("(if(toUnixTimestamp64Milli(t.%[1]s_entered) = 0, t.%[1]s_arrived_basis, t.%[1]s_entered_basis) != 'inferred' OR %[2]s)", side, beginsHere(side))
}

func endObserved(side string) string {
	return fmt.Sprintf("(toUnixTimestamp64Milli(t.%[1]s_left) != 0 AND t.%[1]s_left_basis != 'inferred' OR toUnixTimestamp64Milli(t.%[1]s_departed) != 0 AND t.%[1]s_departed_basis != 'inferred'"+
		" AND (t.%[1]s_departed_basis = 'report' OR toUnixTimestamp64Milli(t.%[1]s_left) = 0 OR t.%[1]s_left = t.%[1]s_departed))", side)
}

// beginsHere tells whether the run begins at the first place of the side: not if it was there once more, later.
func beginsHere(side string) string {
	return fmt.Sprintf("toBool(r.begins_at != '' AND t.%[1]s_places[1] = r.begins_at AND (toUnixTimestamp64Milli(r.begun_until) = 0 OR ifNull(%[2]s <= r.begun_until, true)))",
		side, sideEntered(side))
}

// endsHere tells whether the run ended at the last place of the side, in this visit. A train that ended there because it goes over the
// border under another name was there for all of its stay.
func endsHere(side string) string {
	ends := fmt.Sprintf("r.ends_at != '' AND t.%[1]s_places[-1] = r.ends_at AND t.%[1]s_departed = r.ended_at", side)
	switch side {
	case "outbound":
		ends += " AND (" + otherIdentity + ") = ''"
	case "side":
		ends += " AND (t.role = 'inbound' OR (" + otherIdentity + ") = '')"
	}
	return "toBool(" + ends + ")"
}

// sideEntered and sideLeft are what a side is measured between, as the border stage does: in and out of its fence, or the arrival and
// departure that were told.
func sideEntered(side string) string {
	return fmt.Sprintf("coalesce(%s, %s)", known("t."+side+"_entered"), known("t."+side+"_arrived"))
}

func sideLeft(side string) string {
	return fmt.Sprintf("coalesce(if(t.%[1]s_departed_basis = 'report' AND t.%[1]s_left_basis = 'inferred', NULL, %[2]s), if(t.%[1]s_state = 'closed', %[3]s, NULL))",
		side, known("t."+side+"_left"), known("t."+side+"_departed"))
}

// covered is the time of those spans (cause, from, to) for which a condition on i holds, each moment once, in seconds.
func covered(condition string) string {
	spans := "arrayFilter(i -> " + condition + ", spans)"
	return "intDiv(toInt64(arrayReduce('intervalLengthSum', arrayMap(i -> i.2, " + spans + "), arrayMap(i -> i.3, " + spans + "))), 1000)"
}

// clearCorridor is the corridor of a crossing's journey, where only one fits.
func (c Config) clearCorridor() string {
	return "if((t.unit, t.journey) GLOBAL IN (SELECT unit, journey FROM " + c.from("legs") + " FINAL WHERE corridor_basis = 'ambiguous'), '', toString(t.corridor))"
}

// journeyCorridor explains the one meaning that a column corridor has.
const journeyCorridor = "corridor of the whole journey: by the plan, else the only one that holds all places seen in order; empty: not known, or several fit (v_legs.corridor_basis)"
