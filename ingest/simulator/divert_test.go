package simulator

import (
	"slices"
	"testing"
	"time"

	"corridorwatch/schemas/pb"
)

// TestDiversion: Alashankou is avoided by way of Khorgos for two days. Trains that have not come to Jinghe go that way, their plan is
// told anew, and those beyond it go on as they were.
func TestDiversion(t *testing.T) {
	cfg := busyWorld(t)
	from, until := begin.Add(24*time.Hour), begin.Add(72*time.Hour)
	cfg.Corridors, cfg.Borders, cfg.Restrictions, cfg.Duration = []string{"northern-dostyk"}, nil, nil, 6*24*time.Hour
	cfg.Diversions = []Diversion{{Border: "dostyk", Via: "khorgos", From: from, Until: until}}
	w, all := made(t, cfg)
	over := map[string]string{}
	for _, c := range w.Truth().Crossings {
		if c.Border == "dostyk" || c.Border == "khorgos" {
			over[c.Run] = c.Border
		}
	}
	diverted := 0
	for _, v := range w.Truth().Visits {
		left := max(v.Departed, v.Left)
		west := slices.ContainsFunc(w.Truth().Visits, func(o Visit) bool { return o.Run == v.Run && o.Place == "cn-urumqi" && o.Entered < v.Entered })
		if v.Place != "cn-jinghe" || v.Cut || !west || over[v.Run] == "" {
			continue
		}
		want := "dostyk"
		if left >= from.UnixMilli() && left < until.UnixMilli() {
			want = "khorgos"
			diverted++
		}
		if over[v.Run] != want {
			t.Errorf("%s left Jinghe at %v and went over %s", v.Run, time.UnixMilli(left).UTC(), over[v.Run])
		}
	}
	plans := map[string][]*pb.Plan{}
	for _, e := range all {
		if p := e.GetPlan(); p != nil {
			plans[e.Subject] = append(plans[e.Subject], p)
		}
	}
	twice := 0
	for run, p := range plans {
		passes := func(p *pb.Plan, place string) bool {
			return slices.ContainsFunc(p.Stops, func(s *pb.PlanStop) bool { return s.Place == place })
		}
		if len(p) == 2 {
			twice++
			if !passes(p[1], "kz-altynkol") && !passes(p[1], "cn-khorgos") || passes(p[0], "kz-altynkol") {
				t.Errorf("%s: planned %v, then %v", run, p[0], p[1])
			}
		}
	}
	if diverted < 3 || twice < 3 {
		t.Errorf("%d trains were diverted out of China, %d plans replaced", diverted, twice)
	}
}
