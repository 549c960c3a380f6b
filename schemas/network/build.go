package network

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// build makes the catalogue of the gathered entries. What is wrong is noted and left out; the rest goes on, so that one look finds
// every mistake.
func (l *loader) build() {
	makers := map[string]func(*fields){
		"places": l.place, "sections": l.section, "borders": l.border, "gauge_breaks": l.gaugeBreak, "corridors": l.corridor,
		"sources": l.source,
	}
	for _, topic := range topics() {
		for _, r := range l.raw[topic] {
			if topic == "areas" {
				continue
			}
			if f := l.entry(r.file, r.node, strings.ReplaceAll(strings.TrimSuffix(topic, "s"), "_", " ")); f != nil {
				f.norms = r.norms
				makers[topic](f)
				f.finish()
			}
		}
	}
	l.linkNames()
	l.checkGauges()
	l.c.sort()
	l.c.areas()
	for _, r := range l.raw["areas"] {
		if f := l.entry(r.file, r.node, "area"); f != nil {
			l.area(f)
			f.finish()
		}
	}
	l.c.box = boxOf(l.c.Places)
	l.c.changes = changesOf(l.c.Sections)
	l.c.hash = hashOf(l.c)
}

var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// id reads the id of an entry and tells whether it may be used: well formed and not yet taken by another entry of its kind.
func (l *loader) id(f *fields, id string) (string, bool) {
	kind := f.what
	line := f.at("id")
	if id == "" {
		f.bad(line, "give it an id, like kz-dostyk")
		return id, false
	}
	f.what += " " + id
	if !slug.MatchString(strings.ReplaceAll(id, "--", "-")) {
		f.what = kind
		f.bad(line, "id %q: use small letters, digits and hyphens, like kz-dostyk", id)
		return id, false
	}
	if first, ok := l.where[kind+" "+id]; ok {
		f.bad(line, "is there already, at %s: remove one or give it another id", first)
		return id, false
	}
	l.where[kind+" "+id] = fmt.Sprintf("%s:%d", f.file, line)
	return id, true
}

// validity reads valid_from and valid_to.
func (f *fields) validity() Validity { return f.period("valid_from", "valid_to") }

func (f *fields) period(from, to string) Validity {
	v := Validity{From: f.date(from), To: f.date(to)}
	if !v.From.IsZero() && !v.To.IsZero() && !v.From.Before(v.To) {
		f.bad(f.at(to), "%s is not after %s: exchange them (%s is the first day on which it no longer holds)", to, from, to)
		return Validity{}
	}
	return v
}

func (f *fields) date(key string) time.Time {
	s := f.text(key)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		f.bad(f.at(key), "%s %q: write a day of the calendar, like 2026-03-01", key, s)
	}
	return t
}

// norm reads a usual time in hours and its 95th percentile; nil if there is none. The 95th percentile of a waiting time is about
// twice the median and, where the gauge changes, three to four times.
func (f *fields) norm(median, p95 string, gaugeChange bool) *Norm {
	const yearH = 365 * 24
	m, p := f.positive(median, "hours", yearH), f.positive(p95, "hours", yearH)
	if m == 0 {
		if p != 0 {
			f.bad(f.at(p95), "%s without %s: give both", p95, median)
		}
		return nil
	}
	if p != 0 && p < m {
		f.bad(f.at(p95), "%s %v is less than %s %v: a 95th percentile is not below the median", p95, p, median, m)
	}
	if p == 0 {
		p = 2 * m
		if gaugeChange {
			p = 3.5 * m
		}
	}
	return &Norm{Median: hours(m), P95: hours(p), Estimate: f.norms.estimate, Source: f.norms.source}
}

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

// known keeps those of the named places that the catalogue has, and complains of the others and of repetitions.
func (l *loader) known(f *fields, named []word) (ids []string, all bool) {
	all = true
	for _, w := range named {
		switch {
		case w.text == "":
			f.bad(w.line, "name a place here")
			all = false
		case l.c.places[w.text] == nil:
			f.bad(w.line, "the catalogue has no place %q%s", w.text, l.like(w.text))
			all = false
		case slices.Contains(ids, w.text):
			f.bad(w.line, "place %s is named twice: remove one", w.text)
			all = false
		default:
			ids = append(ids, w.text)
		}
	}
	return ids, all
}

// like suggests the place that was probably meant.
func (l *loader) like(id string) string {
	best, least := "", 3
	for _, p := range l.c.Places {
		if d := edits(id, p.ID, least); d < least {
			best, least = p.ID, d
		}
	}
	if best == "" {
		return ": add it to places, or mend the name"
	}
	return fmt.Sprintf(": did you mean %s?", best)
}

// edits is the Levenshtein distance of two words, or limit if it is not below that.
func edits(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}

// sort puts every list into the order of its ids.
func (c *Catalog) sort() {
	slices.SortFunc(c.Places, func(a, b *Place) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.Sections, func(a, b *Section) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.Borders, func(a, b *Border) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.GaugeBreaks, func(a, b *GaugeBreak) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.Sources, func(a, b *Source) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.Corridors, func(a, b *Corridor) int { return cmp.Compare(a.ID, b.ID) })
	for _, sides := range c.sides {
		slices.SortFunc(sides, func(a, b BorderSide) int { return cmp.Compare(a.Border.ID, b.Border.ID) })
	}
	for _, sections := range c.neighbors {
		slices.SortFunc(sections, func(a, b *Section) int { return cmp.Compare(a.ID, b.ID) })
	}
}
