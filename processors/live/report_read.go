package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"corridorwatch/schemas/network"
)

// ErrAsked is that a report was asked for wrongly.
var ErrAsked = errors.New("no such report")

// Report reads the sheet of a border. An empty day is the last that has begun, by stage time, on both sides.
func (ask Ask) Report(ctx context.Context, border, day, shift, unitKind string) (*Sheet, error) {
	s := &Sheet{Border: border, Day: day, Shift: shift, UnitKind: unitKind}
	if !slices.Contains(Shifts, shift) {
		return nil, fmt.Errorf("%w: a shift is first or second, not %q", ErrAsked, shift)
	}
	at, err := rowsOf[struct {
		Name, A, B, ZoneA, ZoneB string
		StartA, StartB           int64 // minutes
		Now                      int64
	}](ctx, ask, `SELECT name, country_a AS a, country_b AS b, zone_a AS zonea, day_start_a AS starta, zone_b AS zoneb, day_start_b AS startb,
		ifNull(toUnixTimestamp64Milli((SELECT now FROM v_now)), 0) AS now FROM catalogue_borders WHERE id = {border:String}`, "border", border)
	if err != nil {
		return nil, err
	}
	if len(at) == 0 {
		return nil, fmt.Errorf("%w: the catalogue has no border %q", ErrAsked, border)
	}
	b := at[0]
	s.Name, s.StageTime = b.Name, time.UnixMilli(b.Now).UTC()
	dayA, err := railwayDay(b.ZoneA, b.StartA)
	if err != nil {
		return nil, fmt.Errorf("border %s: %w", border, err)
	}
	dayB, err := railwayDay(b.ZoneB, b.StartB)
	if err != nil {
		return nil, fmt.Errorf("border %s: %w", border, err)
	}
	if s.Day == "" { // the last that has begun on both sides
		s.Day = min(dayA.Of(s.StageTime), dayB.Of(s.StageTime))
	}
	for _, f := range []struct {
		from, to string
		day      network.RailwayDay
	}{{b.A, b.B, dayA}, {b.B, b.A, dayB}} {
		flow := Flow{Direction: f.from + "-" + f.to, Zone: f.day.Zone.String(), from: f.from, to: f.to}
		if flow.From, flow.To, err = shiftOf(s.Day, shift, f.day); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAsked, err)
		}
		if flow.Over = !s.StageTime.Before(flow.To); !flow.Over {
			flow.To = flow.From
			if s.StageTime.After(flow.From) {
				flow.To = s.StageTime
			}
		}
		s.Flows = append(s.Flows, flow)
	}
	return s, ask.fill(ctx, s)
}

// railwayDay is how a side counts days that begin so many minutes after midnight.
func railwayDay(zone string, start int64) (network.RailwayDay, error) {
	in, err := time.LoadLocation(zone)
	return network.RailwayDay{Zone: in, Start: time.Duration(start) * time.Minute}, err
}

// fill reads what both directions of a sheet are made of, once, and deals it out.
func (ask Ask) fill(ctx context.Context, s *Sheet) error {
	a, b := &s.Flows[0], &s.Flows[1]
	from, to := a.From, a.To
	if b.From.Before(from) {
		from = b.From
	}
	if b.To.After(to) {
		to = b.To
	}
	between := []string{"border", s.Border, "from", from.Format(time.RFC3339Nano), "to", to.Format(time.RFC3339Nano), "kind", s.UnitKind, "day", s.Day}
	units, err := rowsOf[sideUnit](ctx, ask, "SELECT * FROM ("+sqlOf("side_units")+") WHERE unit_kind = {kind:String}", between...)
	if err != nil {
		return err
	}
	refused, err := rowsOf[Refusal](ctx, ask, "SELECT * FROM ("+sqlOf("refusals")+") WHERE unit_kind = {kind:String} ORDER BY at, unit", between...)
	if err != nil {
		return err
	}
	held, err := rowsOf[Held](ctx, ask, "SELECT * FROM ("+sqlOf("held")+") WHERE unit_kind = {kind:String} ORDER BY since, unit", between...)
	if err != nil {
		return err
	}
	plans, err := rowsOf[struct {
		Direction string
		Trains    float64
	}](ctx, ask, `SELECT replaceAll(direction, '>', '-') AS direction, trains FROM v_plans WHERE border = {border:String} AND date = {day:String}
		ORDER BY announced_at DESC, id DESC LIMIT 1 BY direction`, between...)
	if err != nil {
		return err
	}
	for _, f := range []*Flow{a, b} {
		for _, side := range []struct{ role, country string }{{"outbound", f.from}, {"inbound", f.to}} {
			of := slices.DeleteFunc(slices.Clone(units), func(u sideUnit) bool { return u.Direction != f.Direction || u.Role != side.role || !u.in(f.From, f.To) })
			f.Sides = append(f.Sides, count(side.role, side.country, of, f.From, f.To))
		}
		f.Refused = slices.DeleteFunc(slices.Clone(refused), func(r Refusal) bool {
			return r.Direction != "" && r.Direction != f.Direction || r.At.Before(f.From) || !r.At.Before(f.To)
		})
		f.Held = slices.DeleteFunc(slices.Clone(held), func(h Held) bool {
			return h.Country == f.to || !h.Since.Before(f.To) || h.Until != nil && h.Until.Before(f.From)
		})
		for _, p := range plans {
			if p.Direction == f.Direction {
				f.Planned = &p.Trains
			}
		}
	}
	return nil
}

// rowsOf reads all rows of a statement whose parameters are texts: name, value, name, value.
func rowsOf[T any](ctx context.Context, ask Ask, sql string, params ...string) ([]T, error) {
	set := readOnly()
	for i := 0; i < len(params); i += 2 {
		set.Set("param_"+params[i], escape(params[i+1]))
	}
	out := []T{}
	err := ask.each(ctx, sql, set, func(row json.RawMessage) error {
		var v T
		err := json.Unmarshal(row, &v)
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	return out, nil
}

// ServeReport answers with the sheet of ?border=, ?day=, ?shift= and ?unit_kind=.
func (ask Ask) ServeReport() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sheet, err := ask.Report(r.Context(), r.FormValue("border"), r.FormValue("day"), r.FormValue("shift"), cmp.Or(r.FormValue("unit_kind"), "train"))
		switch {
		case errors.Is(err, ErrAsked):
			fail(w, http.StatusBadRequest, err)
		case err != nil:
			fail(w, http.StatusServiceUnavailable, err)
		default:
			w.Header().Set("Cache-Control", "no-store")
			answer(w, sheet)
		}
	})
}
