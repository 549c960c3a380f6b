package ingest

import (
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"corridorwatch/schemas"
)

var update = flag.Bool("update", false, "write golden files anew")

// read returns everything a CSV file makes, an event or a fault a line.
func readAll(t *testing.T, csv string, m Mapping) string {
	t.Helper()
	r, err := newCSV(strings.NewReader(csv), m)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for {
		it, err := r.next()
		if err == io.EOF {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if it.fault != nil {
			out.WriteString(it.fault.Error() + " | " + it.ct + " | " + string(it.raw) + "\n")
		} else {
			out.Write(append(schemas.EncodeJSON(it.ev), '\n'))
		}
	}
}

func TestCSV(t *testing.T) {
	for _, name := range []string{"commuter", "stations"} {
		text, err := os.ReadFile("testdata/" + name + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		m, err := LoadMapping("testdata/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/"+name+".golden", readAll(t, string(text), m))
		if name == "commuter" {
			same, err := ParseMapping("type=train.position,source=caltrain,subject=Caltrain:{train_id[9:]}:{train_id[:8]},time=time,lat=lat,lon=lon")
			if err != nil {
				t.Fatal(err)
			}
			if a, b := readAll(t, string(text), same), readAll(t, string(text), m); a != b {
				t.Errorf("from flags\n%s\nfrom YAML\n%s", a, b)
			}
		}
	}
}

func TestDryRun(t *testing.T) {
	m, err := LoadMapping("testdata/commuter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	rejected, err := DryRun(&out, Options{Paths: []string{"testdata/commuter.csv"}, CSV: &m}, 20)
	if err != nil || rejected != 3 {
		t.Errorf("%d rejected, %v", rejected, err)
	}
	golden(t, "testdata/dryrun.golden", out.String())
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

func TestMappingMistakes(t *testing.T) {
	for mapping, want := range map[string]string{
		"time=time,lat=lat":                        `nothing is mapped to "type": say type=train.position`,
		"type=train.position,subject=id,time":      "want field=column",
		"type=t,subject=id,time=t,time_zone=Mars":  "time_zone",
		"type=t,subject=id,time=when":              `no column "when"`,
		"type=t,subject={run},time=time":           `no column "run"`,
		"type=t,subject={id[3]},time=time":         "name[from:to]",
		"type=t,subject={id,time=time":             "brace is not closed",
		"type=t,subject=id,time=time,lat=latitude": `no column "latitude"`,
	} {
		m, err := ParseMapping(mapping)
		if err == nil {
			_, err = newCSV(strings.NewReader("time,id,lat\n"), m)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", mapping, err, want)
		}
	}
	m := Mapping{Fields: map[string]string{"type": "t", "subject": "id", "time": "time"}}
	if _, err := newCSV(strings.NewReader(""), m); err == nil {
		t.Error("an empty file is no error")
	}
}

func TestSplitCSV(t *testing.T) {
	for row, want := range map[string]string{
		`a,b,c`:              "a|b|c",
		`a,,`:                "a||",
		``:                   "",
		`"a,b","c""d"`:       `a,b|c"d`,
		`"a` + "\n" + `b",c`: "a\nb|c",
		`"a`:                 "fault",
		`"a"x,b`:             "fault",
		`a"b,c`:              `a"b|c`,
	} {
		cells, f := splitCSV([]byte(row), ',', nil)
		got := strings.Join(cells, "|")
		if f != nil {
			got = "fault"
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", row, got, want)
		}
	}
}
