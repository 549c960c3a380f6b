package simulator

import (
	"testing"
	"time"

	"corridorwatch/schemas/pb"
)

// TestFeeds: a railway without GPS sends no position and reports every place, of a country with statuses only containers are told of,
// and what is told of a run everywhere else does not change.
func TestFeeds(t *testing.T) {
	cfg := busyWorld(t)
	cfg.Corridors, cfg.NoiseM = []string{"northern"}, 0
	cfg.Feeds = map[string]Feed{"KZ": Reports, "BY": Statuses}
	w, all := made(t, cfg)
	lists, delayed := map[string]bool{}, 0
	count := map[string]int{}
	for _, e := range all {
		p, _ := cfg.Catalog.Place(e.Place)
		if pos := e.GetPosition(); pos != nil {
			for _, at := range cfg.Catalog.Places {
				if f := cfg.feed(at.Country); f != GPS && at.Position != nil && inFence(at.Position.Lat, at.Position.Lon, at.Fence.RadiusM/2, pos) {
					t.Fatalf("a position of %s at %s, where there is no tracker", e.Subject, at.ID)
				}
			}
			continue
		}
		if p == nil || e.Verb == pb.Verb_MILESTONE {
			continue
		}
		count[p.Country+" "+e.UnitKind.String()+" "+e.Verb.String()]++
		if e.RecordedAt > e.Time {
			delayed++
		}
		switch cfg.feed(p.Country) {
		case Statuses:
			if e.UnitKind != pb.UnitKind_CONTAINER {
				t.Fatalf("%v at %s: nobody tells of trains there", e, p.ID)
			}
		case Reports:
			if e.Source != "simulator/KTZ" {
				t.Fatalf("%v at %s: not of its railway", e, p.ID)
			}
			if e.Verb == pb.Verb_COMPOSITION {
				lists[e.Subject] = true
			}
		}
	}
	for _, want := range []string{"KZ TRAIN ARRIVED", "KZ TRAIN DEPARTED", "KZ TRAIN PASSED", "KZ TRAIN ACTIVITY", "BY CONTAINER ARRIVED", "BY CONTAINER DEPARTED"} {
		if count[want] == 0 {
			t.Errorf("no %s", want)
		}
	}
	if count["RU TRAIN ARRIVED"] != 0 && count["KZ CONTAINER ARRIVED"] != 0 {
		t.Error("a country with trackers reports arrivals, or one with reports of trains those of containers")
	}
	if len(lists) < 20 || delayed == 0 {
		t.Errorf("%d wagon lists of the railway without GPS, %d events recorded after they happened", len(lists), delayed)
	}
	for _, v := range w.Truth().Visits {
		if p, _ := cfg.Catalog.Place(v.Place); cfg.feed(p.Country) == Statuses {
			t.Fatalf("truth of run %s at %s, of which nobody tells", v.Run, v.Place)
		}
	}
	seen := 0
	for _, c := range w.Truth().Consists {
		for _, v := range c.Visits {
			if v.Place == "by-brest" && v.Arrived != 0 && v.Departed != 0 && v.Entered == 0 {
				seen++
			}
		}
	}
	if seen == 0 {
		t.Error("truth of containers knows nothing of Brest, of which the forwarder tells")
	}
}

func inFence(lat, lon, radius float64, p *pb.Position) bool {
	const perDegree = 111_195
	dLat := float64(p.LatE7)/1e7 - lat
	dLon := (float64(p.LonE7)/1e7 - lon) * 0.66
	return (dLat*dLat+dLon*dLon)*perDegree*perDegree < radius*radius
}

// TestStatusesNeedContainers: without containers nobody would tell anything.
func TestStatusesNeedContainers(t *testing.T) {
	cfg := busyWorld(t)
	cfg.Containers, cfg.Duration = false, time.Hour
	cfg.Feeds = map[string]Feed{"PL": Statuses}
	if _, err := New(cfg); err == nil {
		t.Error("no error")
	}
	if _, err := ParseFeeds(map[string]string{"PL": "smoke"}); err == nil {
		t.Error("an unknown feed is taken")
	}
}
