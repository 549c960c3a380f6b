package ingest

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"corridorwatch/schemas"
)

// TestTripForms: several events of a row, in order of time over the whole file; a form may lack columns; what is wrong in one event
// of a row does not take the others with it.
func TestTripForms(t *testing.T) {
	f, err := os.Open("testdata/trips.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := TripForms()
	r, err := newReader(f, f.Name(), &m)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for {
		it, err := r.next()
		if errors.Is(err, io.EOF) {
			break
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
	golden(t, "testdata/trips.golden", out.String())
}

func TestTripFormsNeedTheirColumns(t *testing.T) {
	m := TripForms()
	if _, err := newReader(strings.NewReader("association,kind,place,arrival\n"), "-", &m); err == nil || !strings.Contains(err.Error(), `no column "unit"`) {
		t.Errorf("a form without the column unit: %v", err)
	}
	m = Mapping{Fields: map[string]string{"subject": "unit"}, Events: []map[string]string{{"type": "train.arrived", "time": "arrival"}, {"type": "train.departed"}}}
	if err := m.complete(); err == nil || !strings.Contains(err.Error(), `event 2: nothing is mapped to "time"`) {
		t.Errorf("an event without time: %v", err)
	}
}
