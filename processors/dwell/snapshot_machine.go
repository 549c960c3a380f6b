package dwell

import (
	"encoding/binary"
	"errors"
	"math"
)

// A fix in a snapshot: what is told, time since the fix before, id and hash, recorded_at since its time, latitude and longitude in
// 1e-7 degrees (as they came) since those before, speed, accuracy.
const (
	toldSpeed = 1 << iota
	toldAccuracy
	toldRecord

	// leastFix is the least a fix takes.
	leastFix = 1 + 1 + 8 + 8 + 1 + 1
)

func (f *fix) append(b []byte, before *fix) []byte {
	told := byte(0)
	if f.speed >= 0 {
		told |= toldSpeed
	}
	if f.acc != 0 {
		told |= toldAccuracy
	}
	if f.rec != 0 {
		told |= toldRecord
	}
	b = append(b, told)
	b = binary.AppendVarint(b, f.t-before.t)
	b = binary.LittleEndian.AppendUint64(b, f.id)
	b = binary.LittleEndian.AppendUint64(b, f.hash)
	if f.rec != 0 {
		b = binary.AppendVarint(b, f.rec-f.t)
	}
	b = binary.AppendVarint(b, e7(f.lat)-e7(before.lat))
	b = binary.AppendVarint(b, e7(f.lon)-e7(before.lon))
	if f.speed >= 0 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f.speed))
	}
	if f.acc != 0 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f.acc))
	}
	return b
}

func (s *scanner) fix(before *fix) fix {
	told := s.take(1)[0]
	f := fix{t: before.t + s.varint(), id: s.fixed(), hash: s.fixed(), speed: -1}
	if told&toldRecord != 0 {
		f.rec = f.t + s.varint()
	}
	f.lat, f.lon = s.degrees(before.lat), s.degrees(before.lon)
	if told&toldSpeed != 0 {
		f.speed = s.float32()
	}
	if told&toldAccuracy != 0 {
		f.acc = s.float32()
	}
	return f
}

func (s *scanner) float32() float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(s.take(4)))
}

// e7 gives the coordinate in 1e-7 degrees that degrees was given.
func e7(deg float64) int64 { return int64(math.Round(deg * 1e7)) }

// degrees are a coordinate as the machine computes with it.
func degrees(e7 int64) float64 { return float64(e7) / 1e7 }

func (s *scanner) degrees(before float64) float64 {
	v := e7(before) + s.varint()
	if v < -180e7 || v > 180e7 {
		s.err = errors.New("the state holds a position that is nowhere")
		return 0
	}
	return degrees(v)
}

func (e *edge) append(b []byte) []byte {
	b = binary.AppendVarint(b, e.At)
	b = binary.AppendVarint(b, e.Lo-e.At)
	return binary.AppendVarint(b, e.Hi-e.At)
}

func (s *scanner) edge() edge {
	at := s.varint()
	return edge{At: at, Lo: at + s.varint(), Hi: at + s.varint()}
}

func (v *stay) append(b []byte) []byte {
	b = appendBytes(b, []byte(v.Place))
	for _, e := range [...]*edge{&v.Entered, &v.Arr, &v.Dep, &v.Left} {
		b = e.append(b)
	}
	b = append(b, byte(boolInt(v.Stopped)|boolInt(v.First)<<1))
	return binary.AppendVarint(b, v.Seen)
}

func (s *scanner) stay() stay {
	v := stay{Place: s.text(), Entered: s.edge(), Arr: s.edge(), Dep: s.edge(), Left: s.edge()}
	is := s.take(1)[0]
	v.Stopped, v.First, v.Seen = is&1 != 0, is&2 != 0, s.varint()
	return v
}

func (v *stand) append(b []byte) []byte {
	return v.Dep.append(v.Arr.append(appendBytes(b, []byte(v.Place))))
}

func (s *scanner) stand() stand { return stand{Place: s.text(), Arr: s.edge(), Dep: s.edge()} }

// What a machine knows of, in a snapshot; what it does not is left out, since it is not looked at.
const (
	hasLast = 1 << iota
	hasPrev
	isInside
	isStanding
	isPending
	isLeaving
)

func (m *machine) append(b []byte) []byte {
	b = append(b, byte(hasLast*boolInt(m.HasLast)|hasPrev*boolInt(m.HasPrev)|isInside*boolInt(m.Inside)|
		isStanding*boolInt(m.Standing)|isPending*boolInt(m.DepPending)|isLeaving*boolInt(m.Leaving.Place != "")))
	for _, f := range [...]struct {
		has bool
		fix *fix
	}{{m.HasLast, &m.Last}, {m.HasPrev, &m.Prev}} {
		if f.has {
			b = f.fix.append(b, &fix{})
		}
	}
	if m.HasLast {
		b = binary.AppendVarint(binary.AppendVarint(b, m.Since), m.SameSince)
		b = append(b, byte(m.Believed))
	}
	b = binary.AppendUvarint(b, uint64(len(m.Doubt)))
	for i := range m.Doubt {
		b = m.Doubt[i].append(b, &fix{})
	}
	if m.Inside {
		b = m.TentOut.append(m.In.append(b))
	}
	if b = binary.AppendUvarint(b, uint64(m.StillN)); m.StillN > 0 {
		b = m.Anchor.append(b, &fix{})
		b = m.ArrEst.append(binary.AppendVarint(binary.AppendVarint(b, m.StillEnd), m.StillFrom))
	}
	if m.DepPending {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.DepDist))
		b = m.Ended.append(binary.AppendVarint(b, m.DepFrom))
	}
	if m.Leaving.Place != "" {
		b = binary.LittleEndian.AppendUint64(m.Leaving.append(b), math.Float64bits(m.LeftFrac))
	}
	b = binary.AppendUvarint(b, uint64(len(m.Stays)))
	for i := range m.Stays {
		b = m.Stays[i].append(b)
	}
	b = binary.AppendUvarint(b, uint64(len(m.Stands)))
	for i := range m.Stands {
		b = m.Stands[i].append(b)
	}
	b = binary.AppendUvarint(b, uint64(len(m.Gaps)))
	for _, g := range m.Gaps {
		b = binary.AppendVarint(binary.AppendVarint(b, g.From), g.To-g.From)
	}
	return b
}

func (s *scanner) machine() (m machine) {
	has := s.take(1)[0]
	m.HasLast, m.HasPrev = has&hasLast != 0, has&hasPrev != 0
	m.Inside, m.Standing, m.DepPending = has&isInside != 0, has&isStanding != 0, has&isPending != 0
	for _, f := range [...]struct {
		has bool
		fix *fix
	}{{m.HasLast, &m.Last}, {m.HasPrev, &m.Prev}} {
		if f.has {
			*f.fix = s.fix(&fix{})
		}
	}
	if m.HasLast {
		m.Since, m.SameSince, m.Believed = s.varint(), s.varint(), int(s.take(1)[0])
	}
	for n := s.count(); n > 0 && s.err == nil; n-- {
		m.Doubt = append(m.Doubt, s.fix(&fix{}))
	}
	if m.Inside {
		m.In, m.TentOut = s.stay(), s.edge()
	}
	if m.StillN = int(min(s.uvarint(), math.MaxInt32)); m.StillN > 0 {
		m.Anchor, m.StillEnd, m.StillFrom, m.ArrEst = s.fix(&fix{}), s.varint(), s.varint(), s.edge()
	}
	if m.DepPending {
		m.DepDist, m.DepFrom, m.Ended = s.float(), s.varint(), s.stand()
	}
	if has&isLeaving != 0 {
		m.Leaving, m.LeftFrac = s.stay(), s.float()
	}
	for n := s.count(); n > 0 && s.err == nil; n-- {
		m.Stays = append(m.Stays, s.stay())
	}
	for n := s.count(); n > 0 && s.err == nil; n-- {
		m.Stands = append(m.Stands, s.stand())
	}
	for n := s.count(); n > 0 && s.err == nil; n-- {
		from := s.varint()
		m.Gaps = append(m.Gaps, gap{from, from + s.varint()})
	}
	return m
}
