package delay

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"corridorwatch/schemas/pb"
)

// TestContainersOfOneTrain: the containers that came by one train are one piece of evidence. While trains stay now shorter and now longer
// nothing is told of the containers' place; when stays become three times as long, that is.
func TestContainersOfOneTrain(t *testing.T) {
	const (
		place, aboard = "kz-altynkol", 24
		every         = 4 * hourMS
		shifted       = 20 * dayMS
	)
	w := newWorld(testCatalog(t), 5)
	rng := rand.New(rand.NewPCG(5, 1))
	until := day0 + 26*dayMS
	for train, at := 0, day0; at < until; train, at = train+1, at+every {
		stay := float64(6*hourMS) * math.Exp(0.3*rng.NormFloat64())
		if at >= day0+shifted {
			stay *= 3
		}
		for box := range aboard {
			v := &pb.Visit{Unit: fmt.Sprintf("BOX%03d%02d", train, box), UnitKind: pb.UnitKind_CONTAINER, Place: place, N: 1, Stopped: true, State: pb.State_OPEN,
				Arrived: &pb.Moment{At: at}}
			v.Journey = v.Unit + "/1"
			left := at + int64(stay) + int64(box)*minuteMS
			w.add(at+minuteMS, &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_Visit{Visit: v}})
			gone := protoClone(&pb.Record{Body: &pb.Record_Visit{Visit: v}}).GetVisit()
			gone.State, gone.Departed = pb.State_CLOSED, &pb.Moment{At: left}
			w.add(left+minuteMS, &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_Visit{Visit: gone}})
		}
	}
	tb := &tables{}
	w.play(newFold(w.cat, Defaults()), tb, 5*minuteMS, until)
	if len(tb.history) == 0 {
		t.Fatal("stays that became three times as long are not told of")
	}
	first := tb.history[0]
	if first.Kind != KindLevelShift || first.Place != place || first.Updated < day0+shifted || first.Updated > day0+shifted+4*dayMS {
		t.Errorf("told:\n%s", showHistory(tb.history))
	}
}
