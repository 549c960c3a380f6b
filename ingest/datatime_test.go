package ingest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"corridorwatch/schemas/pb"
)

// told is an input of events written as "A10:30": subject and time; "A+10:30" is the next day, "A~10:30" an estimate.
type told struct{ words []string }

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func (r *told) next() (item, error) {
	if len(r.words) == 0 {
		return item{}, io.EOF
	}
	w := r.words[0]
	r.words = r.words[1:]
	ev := &pb.Event{Subject: w[:1]}
	date := day
	switch w[1] {
	case '+':
		date, w = day.AddDate(0, 0, 1), w[1:]
	case '~':
		ev.Classifier, w = pb.Classifier_ESTIMATED, w[1:]
	}
	var h, m int
	if _, err := fmt.Sscanf(w[1:], "%d:%d", &h, &m); err != nil {
		return item{}, err
	}
	ev.Time = date.Add(time.Duration(h*60+m) * time.Minute).UnixMilli()
	return item{ev: ev}, nil
}

// merged plays inputs through lanes and merge: events in order, "!" before rejected ones, "|10:30" where time enters a new minute.
func merged(t *testing.T, inputs ...string) string {
	t.Helper()
	var readers []reader
	for _, in := range inputs {
		readers = append(readers, &told{strings.Fields(in)})
	}
	m, err := newMerge(readers)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for last := int64(0); ; {
		it, ok, err := m.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return strings.Join(out, " ")
		}
		if m.time > last {
			last = m.time
			out = append(out, "|"+stamp(last))
		}
		mark := ""
		if it.fault != nil {
			mark = "!"
		} else if it.ev.Classifier != 0 {
			mark = "~"
		}
		out = append(out, mark+it.ev.Subject+stamp(it.ev.Time))
	}
}

func stamp(ms int64) string {
	at := time.UnixMilli(ms).UTC()
	if at.Day() != day.Day() {
		return at.Format("+15:04")
	}
	return at.Format("15:04")
}

func TestDataTime(t *testing.T) {
	for _, c := range []struct {
		about  string
		inputs []string
		want   string
	}{
		{"time goes with the greatest event time; what comes late does not set it back",
			[]string{"A10:00 B10:01 A09:30 B10:02"},
			"|10:00 A10:00 |10:01 B10:01 A09:30 |10:02 B10:02"},
		{"two inputs: merged time is the lesser of theirs",
			[]string{"A10:00 A10:10 A10:50", "B10:05 B10:20"},
			"|10:00 A10:00 |10:05 B10:05 |10:10 A10:10 |10:20 B10:20 |10:50 A10:50"},
		{"one input is late in itself: the other waits for it",
			[]string{"A10:00 C10:00 A09:00 A10:30", "B10:10 B10:20"},
			"|10:00 A10:00 C10:00 A09:00 |10:10 B10:10 |10:20 B10:20 |10:30 A10:30"},
		{"an estimate moves no time, and is not held",
			[]string{"D~20:00 A10:00 B10:01 A~20:00"},
			"|10:00 A10:00 ~D20:00 |10:01 B10:01 ~A20:00"},
		{"a wrong clock: others go on, an hour later it is rejected",
			[]string{"A10:00 B10:01 C+04:00 B10:30 A10:50 B11:01 A11:02"},
			"|10:00 A10:00 |10:01 B10:01 |10:30 B10:30 |10:50 A10:50 |11:01 B11:01 !C+04:00 |11:02 A11:02"},
		{"a wrong clock in the last hour: rejected at the end",
			[]string{"A10:00 B10:01 C+04:00 B10:30"},
			"|10:00 A10:00 |10:01 B10:01 |10:30 B10:30 !C+04:00"},
		{"a quiet night: the second subject confirms that time has gone on",
			[]string{"A22:00 B22:01 A+05:00 B+05:01 A+05:02"},
			"|22:00 A22:00 |22:01 B22:01 |+05:00 A+05:00 |+05:01 B+05:01 |+05:02 A+05:02"},
		{"a late event in between does not hinder it",
			[]string{"A22:00 B22:01 A+05:00 B21:59 B+05:01"},
			"|22:00 A22:00 |22:01 B22:01 B21:59 |+05:00 A+05:00 |+05:01 B+05:01"},
		{"two ahead: time goes only as far as the earlier of them; the one beyond is left standing",
			[]string{"A10:00 B10:01 C+23:00 A13:00 B13:01 A13:02"},
			"|10:00 A10:00 |10:01 B10:01 |13:00 A13:00 !C+23:00 |13:01 B13:01 |13:02 A13:02"},
		{"the first event of all may be wrong too",
			[]string{"C+23:00 A10:00 B10:01 A10:30 B11:00"},
			"|10:00 A10:00 |10:01 B10:01 |10:30 A10:30 |11:00 B11:00 !C+23:00"},
		{"one subject alone: the end of the input confirms it",
			[]string{"A10:00 A10:01 A15:00 A15:01"},
			"|10:00 A10:00 |10:01 A10:01 |15:00 A15:00 |15:01 A15:01"},
		{"slightly ahead: it waits until time comes near",
			[]string{"A10:00 B10:01 C11:30 A10:20 B10:31 A10:40"},
			"|10:00 A10:00 |10:01 B10:01 |10:20 A10:20 |10:31 B10:31 |11:30 C11:30 A10:40"},
	} {
		if got := merged(t, c.inputs...); got != c.want {
			t.Errorf("%s:\n%q\ngot  %s\nwant %s", c.about, c.inputs, got, c.want)
		}
	}
}

// TestDataTimeBounded: one subject alone, all its events far apart, does not pile up.
func TestDataTimeBounded(t *testing.T) {
	var words []string
	for i := range 3 * lookAhead {
		words = append(words, fmt.Sprintf("A%d:00", 2*i))
	}
	l := &lane{src: &told{words}}
	for n := 0; ; n++ {
		it, ok, err := l.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if n != len(words) {
				t.Errorf("%d of %d came out", n, len(words))
			}
			return
		}
		if it.fault != nil {
			t.Fatalf("%d: %v", n, it.fault)
		}
		if len(l.held) > lookAhead {
			t.Fatalf("%d are held", len(l.held))
		}
	}
}

// TestDataTimeLosesNothing: whatever the order, each event comes out once, and merged time never goes back.
func TestDataTimeLosesNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var inputs []reader
		n := 0
		for range 1 + rnd.IntN(3) {
			in := &told{}
			for range rnd.IntN(60) {
				kind := []string{"", "", "", "", "+", "~"}[rnd.IntN(6)]
				in.words = append(in.words, fmt.Sprintf("%c%s%02d:%02d", 'A'+rnd.IntN(3), kind, rnd.IntN(24), rnd.IntN(60)))
				n++
			}
			inputs = append(inputs, in)
		}
		m, err := newMerge(inputs)
		if err != nil {
			t.Fatal(err)
		}
		out := 0
		for last := int64(0); ; out++ {
			it, ok, err := m.next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if m.time < last {
				t.Fatalf("merged time went back from %s to %s", stamp(last), stamp(m.time))
			}
			last = m.time
			if len(inputs) == 1 && it.counts() && it.ev.Time > m.time {
				t.Fatalf("%s came out at %s", stamp(it.ev.Time), stamp(m.time))
			}
		}
		if out != n {
			t.Fatalf("%d of %d came out", out, n)
		}
	}
}
