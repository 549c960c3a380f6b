package recompute

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

func piece(id uint64, subject string, n, of uint32, text string) *pb.Recompute {
	return &pb.Recompute{Id: id, Stage: pb.Stage_DWELL, Subject: subject, UnitKind: pb.UnitKind_TRAIN, Piece: n, Pieces: of,
		Events: []*pb.Event{{Id: text, Late: true}}}
}

// taker writes down what comes out.
type taker struct {
	g    *Gathered
	said []string
}

func (k *taker) take(p *pb.Recompute, now int64) {
	whole := k.g.Take(p, now, func(rec *pb.Record) {
		r := rec.GetRecomputed()
		k.said = append(k.said, r.Subject+" "+string(rune('0'+r.Id))+" "+r.Refused)
	})
	if whole == nil {
		return
	}
	ids := ""
	for _, e := range whole.Events {
		ids += e.Id
	}
	k.said = append(k.said, whole.Subject+" "+string(rune('0'+whole.Id))+" "+ids)
}

func (k *taker) want(t *testing.T, want ...string) {
	t.Helper()
	if got := strings.Join(k.said, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	k.said = nil
}

func TestTake(t *testing.T) {
	k := &taker{g: New()}
	k.take(piece(1, "A", 0, 1, "x"), 0)
	k.want(t, "A 1 x")
	k.take(piece(2, "A", 2, 3, "c"), 0)
	k.take(piece(2, "A", 0, 3, "a"), 0)
	k.take(piece(2, "A", 0, 3, "a"), 0)
	k.take(piece(2, "B", 0, 2, "q"), 0)
	k.want(t)
	k.take(piece(2, "A", 1, 3, "b"), 0)
	k.want(t, "A 2 abc")
	k.take(piece(3, "B", 1, 2, "s"), 0)
	k.want(t, "B 2 "+superseded)
	k.take(piece(2, "B", 1, 2, "r"), 0)
	k.want(t, "B 2 "+superseded)
	k.take(piece(3, "B", 0, 2, "r"), 0)
	k.want(t, "B 3 rs")
	k.take(piece(4, "B", 0, 2, "r"), HoldMS)
	k.want(t, "B 4 "+tooOld)
	if len(k.g.subjects) != 0 || k.g.bytes != 0 {
		t.Errorf("%d subjects with %d bytes are left", len(k.g.subjects), k.g.bytes)
	}
}

func TestBound(t *testing.T) {
	k := &taker{g: New()}
	big := strings.Repeat("x", maxBytes/3)
	for _, p := range []*pb.Recompute{piece(2, "B", 0, 2, big), piece(1, "A", 0, 2, big), piece(3, "C", 0, 2, big)} {
		k.take(p, 0)
	}
	k.want(t, "A 1 "+tooMany)
	k.g.Expire(HoldMS)
	if len(k.g.subjects) != 0 || k.g.bytes != 0 {
		t.Errorf("%d subjects with %d bytes are left", len(k.g.subjects), k.g.bytes)
	}
}

// TestState: restored whole or by changed pieces it is the same.
func TestState(t *testing.T) {
	a, b := &taker{g: New()}, New()
	load := func() {
		for _, p := range a.g.Changed() {
			if ours, err := b.Load(p.Key, p.Value); !ours || err != nil {
				t.Fatal(ours, err)
			}
		}
	}
	a.take(piece(1, "A", 1, 3, "b"), 0)
	a.take(piece(7, "B", 1, 2, "b"), 0)
	load()
	a.take(piece(1, "A", 0, 3, "a"), 0)
	a.take(piece(7, "B", 0, 2, "a"), 0)
	load()
	if len(a.g.State()) != 1 || len(b.State()) != 1 || string(a.g.State()[0].Value) != string(b.State()[0].Value) || a.g.bytes != b.bytes {
		t.Errorf("%v and %v", a.g.State(), b.State())
	}
	whole := b.Take(piece(1, "A", 2, 3, "c"), 0, nil)
	if len(whole.GetEvents()) != 3 || !proto.Equal(whole.Events[2], &pb.Event{Id: "c", Late: true}) {
		t.Errorf("%v", whole)
	}
	for _, p := range New().State() {
		t.Error(p)
	}
	if ours, _ := b.Load("run", nil); ours {
		t.Error("took the state of a run")
	}
}

// FuzzLoad: no bytes make Load panic.
func FuzzLoad(f *testing.F) {
	k := &taker{g: New()}
	k.take(piece(1, "A", 1, 3, "b"), 0)
	f.Add(k.g.State()[0].Value)
	f.Fuzz(func(t *testing.T, value []byte) {
		New().Load(KeyMark+"A", value)
	})
}
