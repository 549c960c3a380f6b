package clickhouse

import "fmt"

// These are the words of views about the sides of a border; t is a row of crossings, side "outbound" or "inbound".

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

// beginsHere tells whether the run begins at the first place of the side: not if it was there once more, later.
func beginsHere(side string) string {
	return fmt.Sprintf("toBool(r.begins_at != '' AND t.%[1]s_places[1] = r.begins_at AND (toUnixTimestamp64Milli(r.begun_until) = 0 OR ifNull(%[2]s <= r.begun_until, true)))",
		side, sideEntered(side))
}

// endsHere tells whether the run ended at the last place of the side, in this visit.
func endsHere(side string) string {
	return fmt.Sprintf("toBool(r.ends_at != '' AND t.%[1]s_places[-1] = r.ends_at AND t.%[1]s_departed = r.ended_at)", side)
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
