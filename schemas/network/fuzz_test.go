package network

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"
)

// FuzzLoad: whatever the files hold, they are loaded or refused with a line that the file has, the same each time; and what is
// loaded can be used.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	table, err := os.ReadFile("testdata/table/places.csv")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, table)
	}
	f.Add([]byte("places: [&a {id: a, at: &p [1, 2]}, {id: b, at: *p}, *a]\nx: *a"), []byte("id,lat,lon\nc,1,2\n"))
	f.Fuzz(func(t *testing.T, y, table []byte) {
		files := fstest.MapFS{"a.yaml": {Data: y}, "places.csv": {Data: table}}
		c, problems, err := load(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			file := files[p.File]
			if file == nil || p.Text == "" || p.Line < 1 || p.Line > linesOf(file.Data) {
				t.Fatalf("a problem without a line: %+v", p)
			}
		}
		again, same, err := load(files)
		if err != nil || !slices.Equal(problems, same) {
			t.Fatalf("loaded twice: %v, then %v, %v", problems, same, err)
		}
		if len(problems) > 0 {
			return
		}
		if c.Hash() != again.Hash() {
			t.Fatal("loaded twice, the catalogue is another one")
		}
		use(t, c)
	})
}

// linesOf counts lines as generously as any reader does: an empty file has one, and one that is missed is named where the file ends.
func linesOf(text []byte) int {
	return 2 + bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + bytes.Count(text, []byte("\u0085")) +
		bytes.Count(text, []byte("\u2028")) + bytes.Count(text, []byte("\u2029"))
}

func use(t *testing.T, c *Catalog) {
	x := c.NewIndex()
	for _, p := range c.Places {
		if p.Zone == nil || len(p.Kinds) == 0 || p.Name == "" {
			t.Fatalf("place without zone, kind or name: %+v", p)
		}
		if p.Position != nil {
			x.At(p.Position.Lat, p.Position.Lon, nil)
			if !(p.Fence.RadiusM > 0) {
				t.Fatalf("place %s: fence of %v m", p.ID, p.Fence.RadiusM)
			}
		}
	}
	for _, k := range c.Corridors {
		last := len(k.Places) - 1
		if km := k.Km(last); !(km > 0) || math.IsInf(km, 0) {
			t.Fatalf("corridor %s: %v km", k.ID, km)
		}
		c.Route(k.Places[0], k.Places[last], time.Unix(0, 0))
	}
	if err := c.WriteTables(discard{}); err != nil {
		t.Fatal(err)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
