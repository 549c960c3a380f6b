package ingest

import (
	"bytes"
	_ "embed"
	"fmt"
)

//go:embed trips.yaml
var tripForms []byte

// TripForms is the mapping of trip forms (docs/trip-forms.md), the samples of CAREC CPMM.
func TripForms() Mapping {
	m, err := readMapping(bytes.NewReader(tripForms))
	if err != nil {
		panic(fmt.Sprintf("ingest: the mapping of trip forms: %v", err)) // it is part of the program
	}
	return m
}
