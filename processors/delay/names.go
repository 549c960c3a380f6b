package delay

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Setting is a threshold under the name by which people write it: overdue.fire, life.wide_after. Times are written like 10m, 6h or
// 28d; a list of numbers like [6, 8, 12].
type Setting struct{ Name, Value string }

// List names all settings with their values, in the order in which they are declared.
func (s Settings) List() []Setting {
	var all []Setting
	for _, n := range s.named() {
		all = append(all, Setting{n.name, n.text()})
	}
	return all
}

// Set changes one setting. An unknown name is an error that tells the known ones.
func (s *Settings) Set(name, value string) error {
	all := s.named()
	i := slices.IndexFunc(all, func(n named) bool { return n.name == name })
	if i < 0 {
		return fmt.Errorf("there is no setting %q; there are %s", name, namesOf(all))
	}
	if err := all[i].set(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Check tells what the stage cannot work with.
func (s Settings) Check() error {
	switch {
	case s.StepMS < minuteMS || s.StepMS > hourMS || s.StepMS%minuteMS != 0 || hourMS%s.StepMS != 0:
		return fmt.Errorf("step: %s is no whole number of minutes that divides an hour", writtenTime(s.StepMS))
	case s.MinSamples < 1:
		return fmt.Errorf("min_samples: a baseline rests on one stay at least, not on %d", s.MinSamples)
	case s.Throughput.Days < 1:
		return fmt.Errorf("throughput.days: one day at least is compared, not %d", s.Throughput.Days)
	case len(s.Shift.Counts) == 0 || s.Shift.Counts[0] < 1 || !slices.IsSorted(s.Shift.Counts):
		return fmt.Errorf("shift.counts: %v are not ascending numbers of stays", s.Shift.Counts)
	}
	return nil
}

// named is a field of the settings.
type named struct {
	name  string
	value reflect.Value
	unit  int64 // of a time: how many of it are a second, 0: it is none
}

func (s *Settings) named() []named { return fields(nil, "", reflect.ValueOf(s).Elem()) }

// fields lists those of a struct and of the structs in it. An int64 is a time: in seconds where the field's name ends with S, AtLeastS,
// else in milliseconds, AtLeastMS. Where another field has the name without its unit, it is called trickle_time.
func fields(all []named, prefix string, of reflect.Value) []named {
	for i := range of.NumField() {
		n := named{name: of.Type().Field(i).Name, value: of.Field(i)}
		switch n.value.Kind() {
		case reflect.Struct:
			all = fields(all, snake(n.name)+".", n.value)
			continue
		case reflect.Int64:
			if short, ok := strings.CutSuffix(n.name, "MS"); ok {
				n.name, n.unit = short, secondMS
			} else if short, ok := strings.CutSuffix(n.name, "S"); ok {
				n.name, n.unit = short, 1
			} else {
				n.unit = secondMS
			}
			if f, there := of.Type().FieldByName(n.name); there && f.Index[0] != i {
				n.name += "Time"
			}
		}
		n.name = prefix + snake(n.name)
		all = append(all, n)
	}
	return all
}

// snake writes AtLeast as at_least.
func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func namesOf(all []named) string {
	var names []string
	for _, n := range all {
		names = append(names, n.name)
	}
	return strings.Join(names, ", ")
}

func (n named) text() string {
	if n.unit != 0 {
		return writtenTime(n.value.Int() * secondMS / n.unit)
	}
	if n.value.Kind() == reflect.Slice {
		return strings.ReplaceAll(fmt.Sprint(n.value.Interface()), " ", ", ")
	}
	return fmt.Sprint(n.value.Interface())
}

// writtenTime is a time as it is written: 28d, 36h, 10m.
func writtenTime(ms int64) string {
	switch {
	case ms%dayMS == 0 && ms > dayMS:
		return strconv.FormatInt(ms/dayMS, 10) + "d"
	case ms%hourMS == 0 && ms != 0:
		return strconv.FormatInt(ms/hourMS, 10) + "h"
	case ms%minuteMS == 0 && ms != 0:
		return strconv.FormatInt(ms/minuteMS, 10) + "m"
	}
	return (time.Duration(ms) * time.Millisecond).String()
}

func (n named) set(value string) error {
	switch n.value.Kind() {
	case reflect.Slice:
		var all []int
		for _, part := range strings.Split(strings.Trim(value, "[]"), ",") {
			v, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil {
				return fmt.Errorf("%q is no list of numbers like %s", value, n.text())
			}
			all = append(all, v)
		}
		n.value.Set(reflect.ValueOf(all)) // never into the list of another copy of the settings
	case reflect.Float64:
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || !(v >= 0) || v > 1e9 {
			return fmt.Errorf("%q is no number like %s", value, n.text())
		}
		n.value.SetFloat(v)
	case reflect.Uint32:
		v, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return fmt.Errorf("%q is no whole number like %s", value, n.text())
		}
		n.value.SetUint(v)
	default:
		v, err := n.whole(value)
		if err != nil || v < 0 {
			return fmt.Errorf("%q is nothing like %s", value, n.text())
		}
		n.value.SetInt(v)
	}
	return nil
}

// whole reads a whole number, or a time in the unit of the field.
func (n named) whole(value string) (int64, error) {
	if n.unit == 0 {
		v, err := strconv.ParseInt(value, 10, 32)
		return v, err
	}
	days := int64(0)
	if d, rest, ok := strings.Cut(value, "d"); ok {
		v, err := strconv.ParseInt(d, 10, 16)
		if err != nil {
			return 0, err
		}
		if days, value = v, rest; rest == "" {
			value = "0s"
		}
	}
	d, err := time.ParseDuration(value)
	return (days*dayMS + d.Milliseconds()) * n.unit / secondMS, err
}
