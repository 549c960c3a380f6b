package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// backtested is what a backtest came to.
type backtested struct {
	Prefix   string           `json:"prefix"`
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	ReadFrom time.Time        `json:"read_from"` // when the first event was accepted of those that were folded
	Events   int64            `json:"events"`
	Settings []changedSetting `json:"settings"` // that differ from the defaults
	Alerts   []compared       `json:"alerts"`
	Counts   []counted        `json:"counts"`
}

func (r *backtested) print(out io.Writer, format string) error {
	switch format {
	case "json":
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case "csv":
		return r.csv(out)
	}
	return r.table(out)
}

func (r *backtested) csv(out io.Writer) error {
	w := csv.NewWriter(out)
	side := func(e *episode) []string {
		if e == nil {
			return []string{"", "", "", "", ""}
		}
		resolved := ""
		if e.Resolved != nil {
			resolved = e.Resolved.Format(time.RFC3339)
		}
		return []string{e.Fired.Format(time.RFC3339), resolved, e.Severity, strconv.Itoa(e.Versions), e.Summary}
	}
	w.Write([]string{"verdict", "fingerprint", "kind", "area", "border", "role", "direction", "place", "unit",
		"would_fire", "would_resolve", "would_severity", "would_versions", "would_summary", "fired", "resolved", "severity", "versions", "summary"})
	for _, c := range r.Alerts {
		row := append([]string{c.Verdict, c.Fingerprint, c.Kind, c.Area, c.Border, c.Role, c.Direction, c.Place, c.Unit}, side(c.Would)...)
		w.Write(append(row, side(c.Did)...))
	}
	w.Flush()
	return w.Error()
}

func (r *backtested) table(out io.Writer) error {
	days := r.To.Sub(r.From).Hours() / 24
	fmt.Fprintf(out, "%q from %s to %s UTC (%.1f days), %d events from %s folded\n", r.Prefix, stamp(r.From), stamp(r.To), days, r.Events, stamp(r.ReadFrom))
	if len(r.Settings) == 0 {
		fmt.Fprintln(out, "settings: the defaults")
	}
	for _, s := range r.Settings {
		fmt.Fprintf(out, "settings: %s %s (default %s)\n", s.Name, s.Value, s.Default)
	}
	verdicts := map[string]int{}
	tab := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tab, "\nwould fire\tuntil\tseverity\tfired\tuntil\tseverity\t\twhat")
	for _, c := range r.Alerts {
		verdicts[c.Verdict]++
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\n", columns(c.Would), columns(c.Did), c.Verdict, c.one().Summary)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d the same, %d at other times or otherwise severe, %d new, %d missing\n\n", verdicts[sameAlert], verdicts[otherAlert], verdicts[newAlert], verdicts[missingAlert])
	tab = tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "kind\tseverity\twould fire\ta day\tfired\ta day\t")
	would, did := 0, 0
	for _, t := range r.Counts {
		would, did = would+t.Would, did+t.Did
		fmt.Fprintf(tab, "%s\t%s\t%d\t%.2f\t%d\t%.2f\t\n", t.Kind, t.Severity, t.Would, t.WouldPerDay, t.Did, t.DidPerDay)
	}
	fmt.Fprintf(tab, "all\t\t%d\t%.2f\t%d\t%.2f\t\n", would, float64(would)/days, did, float64(did)/days)
	return tab.Flush()
}

func columns(e *episode) string {
	if e == nil {
		return "-\t\t"
	}
	until := "fires"
	if e.Resolved != nil {
		until = stamp(*e.Resolved)
	}
	return stamp(e.Fired) + "\t" + until + "\t" + e.Severity
}
