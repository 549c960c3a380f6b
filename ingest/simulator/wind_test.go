package simulator

import (
	"testing"
	"time"

	"corridorwatch/schemas/pb"
)

// TestWind: while ports are closed no vessel leaves or comes in, containers pile up at them, and vessels under way stand off them.
func TestWind(t *testing.T) {
	cfg := busyWorld(t)
	cfg.Corridors, cfg.TrainsPerDay, cfg.Borders, cfg.Restrictions = []string{"middle-poti"}, 3, nil, nil
	cfg.Borders = map[string]Capacity{"caspian": {Tracks: 5}}
	cfg.WindEvery, cfg.WindLength = 72*time.Hour, 40*time.Hour
	w, _ := made(t, cfg)
	closed := wind(cfg)
	during := func(border string, at int64) bool {
		for _, r := range closed {
			if r.Border == border && at > r.From.UnixMilli() && at < r.Until.UnixMilli() {
				return true
			}
		}
		return false
	}
	stood, left, held := 0, 0, 0
	for _, l := range w.Truth().Legs {
		if l.From == "kz-aktau" && l.To == "az-alat" || l.From == "az-alat" && l.To == "kz-aktau" {
			left++
			if during("caspian", l.Departed) {
				t.Errorf("%s sails at %v, while the port is closed", l.Run, time.UnixMilli(l.Departed).UTC())
			}
			if l.Standing > 0 {
				stood++
				if sailing := l.Arrived - l.Departed - l.Standing; !during("caspian", l.Arrived-sailing/20-l.Standing/2) {
					t.Errorf("%s stands off its port at %v, which is open", l.Run, time.UnixMilli(l.Arrived).UTC())
				}
			}
		}
	}
	for _, c := range w.Truth().Consists {
		for _, x := range c.Crossings {
			if x.Border == "caspian" && x.Approach > 0 {
				held++
			}
		}
	}
	if left < 20 || stood == 0 || held == 0 {
		t.Errorf("%d sailings, %d of them stood off a port, %d trains were held before one", left, stood, held)
	}
	told := 0
	cfg.Duration = 8 * 24 * time.Hour
	_, all := made(t, cfg)
	for _, e := range all {
		if e.GetRestriction().GetReason() == "wind" {
			told++
		}
		if a := e.GetActivity(); a.GetCause() == "wind" && a.Kind != "restricted_entry" {
			t.Errorf("%v", e)
		}
		if e.UnitKind == pb.UnitKind_VESSEL && e.Verb == pb.Verb_HANDOVER {
			t.Errorf("a vessel is handed over: %v", e)
		}
	}
	if told == 0 {
		t.Error("no closure is told of")
	}
}
