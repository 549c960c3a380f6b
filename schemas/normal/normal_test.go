package normal_test

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/normal"
)

func form(t *testing.T) *normal.Form {
	t.Helper()
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return normal.New(cat)
}

// The examples of all event types are in normal form already.
func TestExamplesAreNormal(t *testing.T) {
	n := form(t)
	files, err := filepath.Glob("../testdata/events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ev, f := schemas.DecodeJSON(text)
		if f != nil {
			t.Fatalf("%s: %v", path, f)
		}
		if ev.GetLoading() != nil && ev.GetLoading().VehicleKind == 0 {
			ev.GetLoading().VehicleKind = 1
		}
		before := proto.CloneOf(ev)
		if f := n.Apply(ev); f != nil {
			t.Errorf("%s: %v", path, f)
		} else if !proto.Equal(before, ev) {
			t.Errorf("%s: got\n%v\nwant\n%v", path, ev, before)
		}
	}
}

func TestRun(t *testing.T) {
	for in, want := range map[string]string{
		"KTZ:7084-087-1306:2026-03-01":     "KTZ:7084-087-1306:2026-03-01",
		" KTZ : 7084 087 1306 : 20260301 ": "KTZ:7084-087-1306:2026-03-01",
		"Caltrain:20240707-248":            "Caltrain:248:2024-07-07",
		"Caltrain:2024-07-07-L 1":          "Caltrain:L-1:2024-07-07",
		"7084":                             "missing_field",
		"KTZ:7084":                         "missing_field",
		"KTZ:7084-087-1306":                "missing_field",
		"KTZ::2026-03-01":                  "impossible_value",
		"KTZ:7084:2026-02-30":              "impossible_value",
		"KTZ:7084:x:2026-03-01":            "impossible_value",
		":7084:2026-03-01":                 "impossible_value",
	} {
		got, f := normal.Run(in)
		if f != nil {
			got = f.Reason
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if again, _ := normal.Run(got); f == nil && again != got {
			t.Errorf("%q becomes %q becomes %q", in, got, again)
		}
	}
}

func TestUnit(t *testing.T) {
	for in, want := range map[string]string{
		"MSCU1234566":      "MSCU1234566",
		"mscu 123456-6":    "MSCU1234566",
		"21 81 2471 217-3": "218124712173",
		"":                 "impossible_value",
		" - ":              "impossible_value",
		"контейнер":        "impossible_value",
		"MSCU12345678":     "impossible_value", // a digit too many: no container has this number
		"MSCU123456":       "impossible_value", // the check digit was left out
		"MSCU 1234567":     "MSCU1234567",      // the check digit is wrong, which one mistyped digit makes it
		"MSC01234566":      "impossible_value", // 0 for O
		"MSCU123456X":      "impossible_value",
		"943130":           "impossible_value", // no wagon, and no container either
		"9431-3046":        "94313046",
		"5267 891":         "5267891", // of a Chinese wagon
		"2181247121733":    "impossible_value",
	} {
		got, f := normal.Unit(in)
		if f != nil {
			got = f.Reason
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
