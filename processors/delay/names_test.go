package delay

import (
	"reflect"
	"strings"
	"testing"
)

// Every setting can be written by its name and read again, and another value of it is another one.
func TestSettingsByName(t *testing.T) {
	defaults := Defaults()
	list := defaults.List()
	if len(list) < 50 {
		t.Errorf("%d settings only", len(list))
	}
	var again Settings
	for _, s := range list {
		if err := again.Set(s.Name, s.Value); err != nil {
			t.Error(err)
		}
	}
	if !reflect.DeepEqual(again, defaults) {
		t.Errorf("read again:\n%+v\nwant\n%+v", again, defaults)
	}
	for _, s := range []Setting{{"overdue.fire", "1.6"}, {"life.wide_after", "1d2h"}, {"overdue.at_least", "90m"}, {"shift.counts", "[3, 5]"}, {"step", "10m"}, {"overdue.few", "7"}} {
		set := Defaults()
		if err := set.Set(s.Name, s.Value); err != nil {
			t.Error(err)
		}
		changed := 0
		for i, now := range set.List() {
			if now != list[i] {
				changed++
				if now.Name != s.Name {
					t.Errorf("%v changed %v", s, now)
				}
			}
		}
		if changed != 1 {
			t.Errorf("%v changed %d settings", s, changed)
		}
	}
	set := Defaults()
	set.Set("life.wide_after", "1d2h")
	set.Set("overdue.at_least", "90m")
	if set.Life.WideAfterMS != 26*hourMS || set.Overdue.AtLeastS != 5400 {
		t.Errorf("%d ms and %d s", set.Life.WideAfterMS, set.Overdue.AtLeastS)
	}
	for _, bad := range []struct{ name, value, says string }{
		{"overdue.fier", "1", "there are min_samples, step, overdue.fire, "}, {"overdue.fire", "much", "1.5"}, {"overdue.fire", "NaN", "1.5"},
		{"life.wide_after", "10", "26h"}, {"life.wide_after", "-1h", "26h"}, {"shift.counts", "[6, x]", "[6, 8, 12, 16, 24]"},
	} {
		if err := set.Set(bad.name, bad.value); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %s: %v", bad.name, bad.value, err)
		}
	}
}

// What the stage would not end with, or could not compare, is refused.
func TestSettingsCheck(t *testing.T) {
	if err := Defaults().Check(); err != nil {
		t.Error(err)
	}
	for _, s := range []Setting{{"step", "0s"}, {"step", "7m"}, {"step", "90s"}, {"min_samples", "0"}, {"throughput.days", "0"}, {"shift.counts", "[8, 6]"}, {"shift.counts", "[0]"}} {
		set := Defaults()
		if err := set.Set(s.Name, s.Value); err != nil {
			t.Error(err)
		}
		if err := set.Check(); err == nil || !strings.HasPrefix(err.Error(), s.Name+": ") {
			t.Errorf("%v: %v", s, err)
		}
	}
}
