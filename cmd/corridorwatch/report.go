package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/processors/live"
)

func reportCmd() *cobra.Command {
	var day, shift, kind, format string
	cmd := &cobra.Command{
		Use:   "report [border ...]",
		Short: "a sheet for each border and railway day or shift: on hand, arrived, handed over, refused, held, longest waits",
		Long: "Prints a sheet for each border named, for all of them if none is, leaving out those where nothing happened. A railway day is that of the\n" +
			"side that is left, by its clocks and from the hour on that the catalogue says (zone and day_start of a side; 18:00 unless it does), and has\n" +
			"two shifts of twelve hours. What was on hand at the start, plus what arrived, less what left, is on hand at the end; where that does not\n" +
			"close the sheet names the units.",
		Example: "  corridorwatch report khorgos\n  corridorwatch report khorgos dostyk --day 2026-03-10 --shift second",
		RunE: func(cmd *cobra.Command, borders []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			if cfg, err = cfg.find(); err != nil {
				return err
			}
			if format != "text" && format != "json" {
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			all := len(borders) == 0
			if all {
				rows, err := cfg.queryRows(cmd.Context(), "SELECT id FROM catalogue_borders ORDER BY id")
				if err != nil {
					return err
				}
				for _, r := range rows {
					borders = append(borders, r[0])
				}
			}
			for _, border := range borders {
				sheet, err := cfg.reader().Report(cmd.Context(), border, day, shift, kind)
				if err != nil {
					return err
				}
				if all && !slices.ContainsFunc(sheet.Flows, busy) {
					continue
				}
				if err := printSheet(cmd.OutOrStdout(), sheet, format); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&day, "day", "", "railway day, YYYY-MM-DD (default: the last that has begun on both sides, by stage time)")
	f.StringVar(&shift, "shift", "", "first or second (default: the whole day)")
	f.StringVar(&kind, "unit-kind", "train", "train, vessel, wagon or container")
	f.StringVar(&format, "format", "text", "text or json")
	return cmd
}

// busy tells whether anything happened in a direction.
func busy(f live.Flow) bool {
	return len(f.Refused)+len(f.Held) > 0 || slices.ContainsFunc(f.Sides, func(s live.Side) bool { return s.Start+s.Arrived+s.Left+s.End+len(s.Breaks) > 0 })
}

func printSheet(out io.Writer, s *live.Sheet, format string) error {
	if format == "json" {
		return json.NewEncoder(out).Encode(s)
	}
	shift := "railway day " + s.Day
	if s.Shift != "" {
		shift += ", " + s.Shift + " shift"
	}
	fmt.Fprintf(out, "%s (%s), %s: %ss, as of %s UTC\n", s.Name, s.Border, shift, s.UnitKind, minuteOf(s.StageTime, time.UTC))
	for _, f := range s.Flows {
		if err := printFlow(out, f); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out)
	return err
}

func printFlow(out io.Writer, f live.Flow) error {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		return err
	}
	until := ""
	if !f.Over {
		until = " (so far)"
	}
	fmt.Fprintf(out, "\n%s  %s to %s, %s%s\n", f.Direction, minuteOf(f.From, zone), minuteOf(f.To, zone), f.Zone, until)
	tab := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "  side\ton hand at start\tarrived\tleft\ton hand at end\t")
	for _, s := range f.Sides {
		fmt.Fprintf(tab, "  %s %s\t%d\t%d\t%d\t%d\t\n", s.Country, s.Role, s.Start, s.Arrived, s.Left, s.End)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if f.Planned != nil {
		fmt.Fprintf(out, "  handed over %d of %.0f agreed for the railway day\n", f.Sides[0].Left, *f.Planned)
	}
	for _, s := range f.Sides {
		for _, b := range s.Breaks {
			fmt.Fprintf(out, "  ! the balance of %s %s does not close by %+d: %s: %s\n", s.Country, s.Role, b.By, b.Unit, b.Why)
		}
	}
	for _, r := range f.Refused {
		fmt.Fprintf(out, "  %s %s  %s%s\n", r.Step, minuteOf(r.At, zone), r.Unit, because(r.Cause))
	}
	for _, h := range f.Held {
		until := "still held"
		if h.Until != nil {
			until = "until " + minuteOf(*h.Until, zone)
		}
		fmt.Fprintf(out, "  held at %s since %s, %s  %s%s\n", h.Place, minuteOf(h.Since, zone), until, h.Unit, because(h.Cause))
	}
	for _, s := range f.Sides {
		if len(s.Longest) > 0 {
			fmt.Fprintf(out, "  longest on the side %s %s, with what was done in the whole stay:\n", s.Country, s.Role)
		}
		for _, w := range s.Longest {
			fmt.Fprintf(out, "    %5.1f h  %s%s\n", float64(w.Seconds)/3600, w.Unit, because(causesOf(w)))
		}
	}
	return nil
}

func because(cause string) string {
	if cause == "" {
		return ""
	}
	return ": " + strings.ReplaceAll(cause, "_", " ")
}

func causesOf(w live.Wait) string {
	var out []string
	for _, c := range w.Causes {
		out = append(out, fmt.Sprintf("%s %.1f h", c.Cause, float64(c.Seconds)/3600))
	}
	return strings.Join(out, ", ")
}

func minuteOf(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04")
}
