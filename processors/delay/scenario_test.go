package delay

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

var update = flag.Bool("update", false, "write the expected alerts anew")

// TestScenarios folds what befalls a border after 28 ordinary days and compares the alerts, as a dispatcher would read them.
//
//	traffic BORDER DIRECTION every=2h outbound=6h inbound=10h spread=0.3 until=32d    a train each 2 hours; medians of the sides
//	stop BORDER DIRECTION ROLE FROM UNTIL [declared=REASON]     none goes on from this side
//	limit BORDER DIRECTION ROLE FROM UNTIL times=5              five trains a day go on
//	slow BORDER DIRECTION ROLE FROM UNTIL times=2.5             stays last longer
//	overdue BORDER DIRECTION ROLE FROM times=6                  one train does
//	silent BORDER DIRECTION outbound FROM                       the tracker of one train
//	burst BORDER DIRECTION FROM UNTIL times=2                   so many times more trains come
//	feed BORDER DIRECTION FROM UNTIL                            what happens is told at the end
//	plan BORDER DIRECTION trains=12                             agreed for each day
//	day BORDER COUNTRY 6h                                       the railway day of this side begins at 6:00
//	stop or limit ... upstream FROM UNTIL                       as above, of those that would come: they are held upstream
//	start 2023-11-12                                            the first day, else 2026-03-01
//	collapse FROM                                               what is expected begins with how it was told of
//
// Times are days and hours from the beginning: 28d6h.
func TestScenarios(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.txt")
	if len(paths) == 0 {
		t.Fatal("no scenarios")
	}
	if testing.Short() { // for the race detector, which finds nothing in a fold
		paths = paths[:1]
	}
	cat := testCatalog(t)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(text), "----\n")
			t.Cleanup(func(before int64) func() { return func() { day0 = before } }(day0))
			w, until := readScenario(t, cat, input)
			tb := &tables{}
			w.play(newFold(w.cat, Defaults()), tb, 5*minuteMS, until)
			got := showHistory(tb.history)
			if w.collapse != 0 {
				got = collapsed(w.collapse, tb.history) + got
			}
			if *update {
				os.WriteFile(path, []byte(input+"----\n"+got), 0o644)
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func readScenario(t *testing.T, cat *network.Catalog, input string) (w *world, until int64) {
	w = newWorld(cat, 1)
	var all []traffic
	var incidents []incident
	for _, line := range strings.Split(input, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		switch words[0] {
		case "start":
			first, err := time.Parse(time.DateOnly, words[1])
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			day0 = first.UnixMilli()
			continue
		case "collapse":
			w.collapse = day0 + span(t, words[1])
			continue
		case "day":
			w.cat = testCatalog(t) // the other scenarios have theirs
			b, _ := w.cat.Border(words[1])
			side := &b.A
			if words[2] == b.B.Country {
				side = &b.B
			}
			side.Day.Start = time.Duration(span(t, words[3])) * time.Millisecond
			continue
		}
		in := incident{kind: words[0], border: words[1], direction: words[2]}
		tr := traffic{border: words[1], direction: words[2], from: day0}
		var times []int64
		for _, word := range words[3:] {
			name, value, named := strings.Cut(word, "=")
			switch {
			case word == network.Outbound || word == network.Inbound || word == upstream:
				in.role = word
			case !named:
				times = append(times, day0+span(t, word))
			case name == "every":
				tr.every = span(t, value)
			case name == "outbound":
				tr.outbound = span(t, value)
			case name == "inbound":
				tr.inbound = span(t, value)
			case name == "until":
				tr.to = day0 + span(t, value)
			case name == "declared":
				in.declared = strings.ReplaceAll(value, "_", " ")
			default:
				v, err := strconv.ParseFloat(value, 64)
				if err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				tr.spread, in.factor = v, v
			}
		}
		switch in.kind {
		case "traffic":
			all = append(all, tr)
			until = max(until, tr.to)
			continue
		case "plan":
			in.agreed = in.factor
		}
		if len(times) > 0 {
			in.from = times[0]
		}
		if len(times) > 1 {
			in.until = times[1]
		}
		incidents = append(incidents, in)
	}
	for _, tr := range all {
		w.run(tr, incidents)
	}
	for _, in := range incidents {
		if in.kind == "plan" {
			w.plan(in.border, in.direction, day0, until+dayMS, in.agreed)
		}
	}
	return w, until
}

// collapsed says how long it took until the first alert about the border itself after a collapse began, which alert it was, and how many
// there had been in the 30 days before, when nothing was the matter.
func collapsed(from int64, history []*pb.Alert) string {
	before := map[string]int{}
	first := "no alert about the border itself\n"
	for _, a := range slices.Backward(history) {
		switch wide := a.Unit == ""; {
		case !a.Firing || a.Revision != 1:
		case a.Updated >= from && wide:
			first = fmt.Sprintf("first alert about the border itself %s after the collapse began: %s, %s\n", hours((a.Updated-from)/1000), a.Kind, a.Severity)
		case a.Updated < from && a.Updated >= from-30*dayMS:
			before[a.Kind]++
		}
	}
	list := "none"
	if len(before) > 0 {
		list = ""
		for _, kind := range sortedKeys(before) {
			list += fmt.Sprintf(" %d %s", before[kind], kind)
		}
	}
	return first + "alerts in the 30 days before: " + strings.TrimSpace(list) + "\n"
}

// span reads 28d6h, 90m.
func span(t *testing.T, s string) int64 {
	days := 0
	if d, rest, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.Atoi(d)
		if err != nil {
			t.Fatalf("time %q", s)
		}
		days, s = n, rest
	}
	d := time.Duration(0)
	if s != "" {
		var err error
		if d, err = time.ParseDuration(s); err != nil {
			t.Fatalf("time %q", s)
		}
	}
	return int64(days)*dayMS + d.Milliseconds()
}

// showHistory writes alerts as they were told.
func showHistory(history []*pb.Alert) string {
	var b strings.Builder
	fired := map[string]bool{}
	for _, a := range history {
		what := "fires"
		switch {
		case !a.Firing:
			what = "resolved"
		case fired[a.Fingerprint]:
			what = "updated"
		}
		fired[a.Fingerprint] = a.Firing
		fmt.Fprintf(&b, "%s %s %s %s\n    %s\n", clock(a.Updated), what, a.Severity, a.Fingerprint, a.Summary)
		if a.Cause != "" {
			fmt.Fprintf(&b, "    is a part of %s\n", a.Cause)
		}
		if a.Firing {
			fmt.Fprintf(&b, "    since %s; %s\n", clock(a.Since), a.Evidence)
			if a.Restriction != "" {
				fmt.Fprintf(&b, "    restriction: %s\n", a.Restriction)
			}
		}
	}
	return b.String()
}

func clock(at int64) string {
	d := at - day0
	return fmt.Sprintf("%dd%02d:%02d", d/dayMS, d%dayMS/hourMS, d%hourMS/minuteMS)
}
