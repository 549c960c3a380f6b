package stories

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/network"
)

// TestWeekInAnyOrder folds the week in random orders, with three in ten events sent once more, in rounds of any size: the rows at the
// end are those of the week as it arrived. Stage time stands at the beginning meanwhile, so that nothing is late.
func TestWeekInAnyOrder(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	s := read(t, week+"events.jsonl")
	want := s.fold(cat, weekEnd).rows()
	if len(want) < 500 {
		t.Fatalf("%d rows", len(want))
	}
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		mixed := slices.Clone(s)
		for range len(s) * 3 / 10 {
			mixed = append(mixed, s[rnd.IntN(len(s))])
		}
		rnd.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		c := newChain(cat, false)
		for _, ev := range mixed {
			c.take(ev.value)
			if rnd.IntN(20) == 0 {
				c.advance(s[0].at)
			}
		}
		c.advance(weekEnd)
		got := c.told.rows()
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if got[key] != want[key] {
				t.Errorf("order %d: %s is\n%s\nin order of arrival\n%s", seed, key, got[key], want[key])
			}
			delete(got, key)
		}
		for _, key := range slices.Sorted(maps.Keys(got)) {
			t.Errorf("order %d: %s is there, in order of arrival it is not", seed, key)
		}
		if t.Failed() {
			return
		}
	}
}

// rows are all rows as text.
func (all *told) rows() map[string]string {
	rows := map[string]string{}
	for k, v := range all.visits {
		rows["visit "+k] = text(v)
	}
	for k, c := range all.crossings {
		rows["crossing "+k] = text(c)
	}
	for k, f := range all.facts {
		rows["facts "+k] = text(f)
	}
	for _, r := range all.rejects {
		rows["reject "+r.Id] = fmt.Sprint(r.Reason, r.Path)
	}
	return rows
}

func text(m proto.Message) string { return prototext.MarshalOptions{Multiline: true}.Format(m) }
