package delay

import (
	"iter"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

func protoClone(rec *pb.Record) *pb.Record            { return proto.CloneOf(rec) }
func keysOf(m map[string]*pb.Record) iter.Seq[string] { return maps.Keys(m) }

// latest are the crossings that stand at the end of a world.
func latest(w *world, until int64) []*pb.Crossing {
	facts := map[string]*pb.Crossing{}
	for _, r := range w.recs {
		c := r.rec.GetCrossing()
		if c == nil || r.at >= until {
			continue
		}
		if facts[crossingKey(c)] = c; r.rec.Deleted {
			delete(facts, crossingKey(c))
		}
	}
	var out []*pb.Crossing
	for _, k := range sortedKeys(facts) {
		out = append(out, facts[k])
	}
	return out
}

// oracle works out rows from the facts, stay by stay, with nothing kept from one to the next.
type oracle struct {
	f     *fold
	facts []*pb.Crossing
	until int64
}

type plainStay struct {
	c                     *pb.Crossing
	key                   seriesKey
	area, sample          string
	began, ended, seconds int64 // ended: 0 open, -1 unknown
}

func (o *oracle) stays() []plainStay {
	var out []plainStay
	for _, c := range o.facts {
		for i, s := range []*pb.Side{c.Outbound, c.Inbound} {
			key := seriesKey{border: c.Border, role: roles[i], direction: c.FromCountry + "-" + c.ToCountry, kind: c.UnitKind}
			p := plainStay{c: c, key: key, area: c.Area, sample: crossingKey(c), began: s.GetArrived().GetAt(), seconds: -1}
			if p.began == 0 {
				continue
			}
			if s.State == pb.State_CLOSED {
				p.ended, p.seconds = s.Departed.At, s.Seconds
			}
			out = append(out, p)
		}
		p := plainStay{c: c, area: c.Area, sample: crossingKey(c), began: c.Outbound.GetArrived().GetAt(), seconds: -1,
			key: seriesKey{border: c.Border, role: pair, direction: c.FromCountry + "-" + c.ToCountry, kind: c.UnitKind}}
		if c.Consist != "" {
			p.sample = c.Consist
		}
		if c.State == pb.State_CLOSED {
			p.ended, p.seconds = c.Inbound.Departed.At, c.TotalS
		}
		if p.began != 0 {
			out = append(out, p)
		}
	}
	return out
}

// samples joins the units of a consist.
func samples(stays []plainStay) []plainStay {
	type id struct {
		key    seriesKey
		sample string
	}
	groups := map[id][]plainStay{}
	var order []id
	for _, s := range stays {
		k := id{s.key, s.sample}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], s)
	}
	var out []plainStay
	for _, k := range order {
		one := groups[k][0]
		var values []int64
		for _, s := range groups[k] {
			one.began = min(one.began, s.began)
			if s.ended == 0 {
				one.ended = 0
			} else if one.ended != 0 {
				one.ended = max(one.ended, s.ended)
			}
			if s.seconds >= 0 {
				values = append(values, s.seconds)
			}
		}
		one.seconds = -1
		if one.ended != 0 && len(values) > 0 {
			slices.Sort(values)
			one.seconds = floor(quantile(0.5, values))
		}
		out = append(out, one)
	}
	return out
}

func (o *oracle) rows() map[string]*pb.Record {
	out := map[string]*pb.Record{}
	add := func(topic string, rec *pb.Record) { out[topic+"|"+rowPiece(rec)] = rec }
	stays := o.stays()
	all := samples(stays)
	for _, s := range stays {
		var values []int64
		for _, x := range all {
			if x.key == s.key && x.seconds >= 0 && x.ended >= s.began-windowMS && x.ended < s.began {
				values = append(values, x.seconds)
			}
		}
		slices.Sort(values)
		d := &pb.CrossingDelay{Unit: s.c.Unit, UnitKind: s.c.UnitKind, Journey: s.c.Journey, Border: s.c.Border, N: s.c.N, Role: s.key.role, Area: s.area,
			Samples: uint32(len(values)), BaselineBasis: "norm", Direction: s.key.direction}
		if len(values) >= o.f.set.MinSamples {
			d.HasUsual, d.UsualS, d.P95S, d.BaselineBasis = true, floor(quantile(0.5, values)), floor(quantile(0.95, values)), "usual"
			if s.seconds >= 0 {
				d.DelayUsualS = s.seconds - d.UsualS
			}
		} else if s.key.role == pair && !s.c.HasNorm {
			d.BaselineBasis = "none"
		}
		add(schemas.CrossingDelays, &pb.Record{Body: &pb.Record_CrossingDelay{CrossingDelay: d}})
	}
	for key, of := range group(all) {
		for h := hourOf(day0); h+hourMS <= o.until; h += hourMS {
			st := plainHour(key, of, h)
			if st.N+st.Waiting+st.Arrivals+st.Releases > 0 {
				add(schemas.DelayStats, &pb.Record{Body: &pb.Record_DelayStats{DelayStats: st}})
			}
		}
	}
	return out
}

func group(all []plainStay) map[seriesKey][]plainStay {
	out := map[seriesKey][]plainStay{}
	for _, s := range all {
		out[s.key] = append(out[s.key], s)
	}
	return out
}

func plainHour(key seriesKey, of []plainStay, h int64) *pb.DelayStats {
	st := &pb.DelayStats{Area: of[0].area, Border: key.border, Role: key.role, Direction: key.direction, UnitKind: key.kind, Hour: h}
	var values []int64
	sum := int64(0)
	for _, s := range of {
		if hourOf(s.began) == h {
			st.Arrivals++
		}
		if s.ended > 0 && hourOf(s.ended) == h {
			st.Releases++
			if s.seconds >= 0 {
				values, sum = append(values, s.seconds), sum+s.seconds
			}
		}
		if s.began < h+hourMS && (s.ended == 0 || s.ended >= h+hourMS) {
			st.Waiting++
			st.OldestS = max(st.OldestS, (h+hourMS-s.began)/1000)
		}
	}
	if slices.Sort(values); len(values) > 0 {
		st.N, st.MeanS, st.MaxS = uint32(len(values)), float64(sum)/float64(len(values)), float64(values[len(values)-1])
		st.P50S, st.P90S, st.P95S = quantile(0.5, values), quantile(0.9, values), quantile(0.95, values)
	}
	return st
}

func compareRows(t *testing.T, tb *tables, want map[string]*pb.Record) {
	t.Helper()
	bad := 0
	report := func(format string, args ...any) {
		if bad++; bad <= 10 {
			t.Errorf(format, args...)
		}
	}
	for _, key := range sortedRows(want) {
		got := tb.rows[key]
		if got == nil {
			report("missing: %v", want[key].Body)
		} else if !proto.Equal(plain(got), want[key]) {
			report("got  %v\nwant %v", got.Body, want[key].Body)
		}
	}
	for _, key := range sortedRows(tb.rows) {
		if want[key] == nil && tb.rows[key].GetAlert() == nil {
			report("not expected: %v", tb.rows[key].Body)
		}
	}
	if bad > 10 {
		t.Errorf("%d rows differ", bad)
	}
}

func plain(rec *pb.Record) *pb.Record { return &pb.Record{Body: rec.Body} }
