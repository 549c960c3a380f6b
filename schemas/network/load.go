package network

import (
	"crypto/sha256"
	"embed"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed *.yaml
var embedded embed.FS

// Problem is one mistake of a catalogue.
type Problem struct {
	File string
	Line int
	Text string // what is wrong and what to do
}

func (p Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Embedded is the catalogue that ships with the program.
func Embedded() (*Catalog, error) { return load(embedded) }

// LoadDir reads the YAML files and places.csv of a directory. The error joins every mistake, each a Problem.
func LoadDir(dir string) (*Catalog, error) { return load(os.DirFS(dir)) }

// document is one YAML file; a catalogue is all of them together.
type document struct {
	MaxSpeedKmh float64     `yaml:"max_speed_kmh"`
	Places      []yaml.Node `yaml:"places"`
	Borders     []yaml.Node `yaml:"borders"`
	GaugeBreaks []yaml.Node `yaml:"gauge_breaks"`
	Areas       []yaml.Node `yaml:"areas"`
	Sections    []yaml.Node `yaml:"sections"`
	Corridors   []yaml.Node `yaml:"corridors"`
}

// entry remembers where a thing was written.
type entry[T any] struct {
	file string
	line int
	val  T
}

type loader struct {
	problems  []error
	maxSpeed  float64
	places    []entry[placeYAML]
	borders   []entry[borderYAML]
	breaks    []entry[breakYAML]
	areas     []entry[areaYAML]
	sections  []entry[sectionYAML]
	corridors []entry[corridorYAML]
}

func (l *loader) bad(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{file, line, fmt.Sprintf(format, args...)})
}

type validYAML struct {
	From string `yaml:"valid_from"`
	To   string `yaml:"valid_to"`
}

type placeYAML struct {
	ID        string              `yaml:"id"`
	Name      string              `yaml:"name"`
	Names     map[string]string   `yaml:"names"`
	Codes     map[string][]string `yaml:"codes"`
	Country   string              `yaml:"country"`
	Kinds     []string            `yaml:"kinds"`
	Zone      string              `yaml:"zone"`
	Gauges    []int               `yaml:"gauges"`
	At        []float64           `yaml:"at"`
	Quality   string              `yaml:"quality"`
	RadiusM   float64             `yaml:"radius_m"`
	Polygon   [][]float64         `yaml:"polygon"`
	DwellH    float64             `yaml:"dwell_h"`
	DwellP95H float64             `yaml:"dwell_p95_h"`
	validYAML `yaml:",inline"`
}

type borderYAML struct {
	ID         string             `yaml:"id"`
	Name       string             `yaml:"name"`
	A          sideYAML           `yaml:"a"`
	B          sideYAML           `yaml:"b"`
	GaugeBreak string             `yaml:"gauge_break"`
	Customs    bool               `yaml:"customs"`
	Sanitary   bool               `yaml:"sanitary"`
	Sea        bool               `yaml:"sea"`
	NormsH     map[string]float64 `yaml:"norms_h"` // "KZ inbound": 30
	NormSource string             `yaml:"norm_source"`
	validYAML  `yaml:",inline"`
}

type sideYAML struct {
	Country string   `yaml:"country"`
	Places  []string `yaml:"places"`
}

type breakYAML struct {
	ID        string   `yaml:"id"`
	Name      string   `yaml:"name"`
	Places    []string `yaml:"places"`
	From      int      `yaml:"from"`
	To        int      `yaml:"to"`
	Border    string   `yaml:"border"`
	validYAML `yaml:",inline"`
}

type areaYAML struct {
	Holds string `yaml:"holds"` // a place of the area
	Name  string `yaml:"name"`
}

type sectionYAML struct {
	From       string  `yaml:"from"`
	To         string  `yaml:"to"`
	Km         float64 `yaml:"km"`
	Mode       string  `yaml:"mode"`
	Gauge      int     `yaml:"gauge"`
	Status     string  `yaml:"status"`
	MaxKmh     float64 `yaml:"max_kmh"`
	RunningKmh float64 `yaml:"kmh"`
	validYAML  `yaml:",inline"`
}

type corridorYAML struct {
	ID          string   `yaml:"id"`
	Name        string   `yaml:"name"`
	Places      []string `yaml:"places"`
	Status      string   `yaml:"status"`
	CentralAsia bool     `yaml:"through_central_asia"`
	validYAML   `yaml:",inline"`
}

func load(fsys fs.FS) (*Catalog, error) {
	l := &loader{}
	files, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	read := 0
	for _, f := range files {
		ext := path.Ext(f.Name())
		if f.IsDir() || ext != ".yaml" && ext != ".yml" && f.Name() != "places.csv" {
			continue
		}
		b, err := fs.ReadFile(fsys, f.Name())
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		read++
		if ext == ".csv" {
			l.csv(f.Name(), string(b))
		} else {
			l.yaml(f.Name(), b)
		}
	}
	if read == 0 {
		return nil, errors.New("the catalogue holds no .yaml file and no places.csv")
	}
	c := l.build()
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	return c, nil
}

func (l *loader) yaml(file string, b []byte) {
	var d document
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	if err := dec.Decode(&d); err != nil {
		l.yamlError(file, 1, err)
		return
	}
	if d.MaxSpeedKmh != 0 {
		l.maxSpeed = d.MaxSpeedKmh
	}
	decode(l, file, d.Places, &l.places)
	decode(l, file, d.Borders, &l.borders)
	decode(l, file, d.GaugeBreaks, &l.breaks)
	decode(l, file, d.Areas, &l.areas)
	decode(l, file, d.Sections, &l.sections)
	decode(l, file, d.Corridors, &l.corridors)
}

func decode[T any](l *loader, file string, nodes []yaml.Node, into *[]entry[T]) {
	for i := range nodes {
		n := &nodes[i]
		e := entry[T]{file: file, line: n.Line}
		if err := strictly(n, &e.val); err != nil {
			l.yamlError(file, n.Line, err)
			continue
		}
		*into = append(*into, e)
	}
}

// strictly decodes a node and refuses keys that mean nothing (a misspelt one would be ignored silently).
func strictly(n *yaml.Node, into any) error {
	b, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	return dec.Decode(into)
}

// yamlError names the line of the entry; the parser's own line numbers count from the entry's beginning.
func (l *loader) yamlError(file string, line int, err error) {
	var typeErr *yaml.TypeError
	if errors.As(err, &typeErr) {
		for _, text := range typeErr.Errors {
			if n, rest, ok := strings.Cut(strings.TrimPrefix(text, "line "), ": "); ok {
				if at, err := strconv.Atoi(n); err == nil {
					l.bad(file, line+at-1, "%s", rest)
					continue
				}
			}
			l.bad(file, line, "%s", text)
		}
		return
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if n, rest, ok := strings.Cut(strings.TrimPrefix(text, "line "), ": "); ok {
		if at, err := strconv.Atoi(n); err == nil {
			l.bad(file, line+at-1, "%s", rest)
			return
		}
	}
	l.bad(file, line, "%s", text)
}

// csv reads places.csv: id,name,lat,lon,radius_m and optionally country, zone, kinds (by spaces).
func (l *loader) csv(file, text string) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	var head []string
	for {
		row, err := r.Read()
		if err != nil {
			if len(row) == 0 && err.Error() == "EOF" {
				return
			}
			var pe *csv.ParseError
			line := 1
			if errors.As(err, &pe) {
				line = pe.Line
			}
			l.bad(file, line, "%v", err)
			return
		}
		line, _ := r.FieldPos(0)
		if head == nil {
			head = row
			continue
		}
		l.csvPlace(file, line, head, row)
	}
}

func (l *loader) csvPlace(file string, line int, head, row []string) {
	if len(row) != len(head) {
		l.bad(file, line, "%d columns where the head has %d", len(row), len(head))
		return
	}
	e := entry[placeYAML]{file: file, line: line}
	p := &e.val
	number := func(name, s string) float64 {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			l.bad(file, line, "%s %q is not a number", name, s)
		}
		return v
	}
	p.At = make([]float64, 2)
	for i, name := range head {
		v := row[i]
		switch name {
		case "id":
			p.ID = v
		case "name":
			p.Name = v
		case "lat":
			p.At[0] = number(name, v)
		case "lon":
			p.At[1] = number(name, v)
		case "radius_m":
			if v != "" {
				p.RadiusM = number(name, v)
			}
		case "country":
			p.Country = v
		case "zone":
			p.Zone = v
		case "kinds":
			p.Kinds = strings.Fields(v)
		default:
			if line == 2 {
				l.bad(file, 1, "column %q means nothing: id, name, lat, lon, radius_m, country, zone, kinds", name)
			}
		}
	}
	l.places = append(l.places, e)
}

func (l *loader) validity(file string, line int, v validYAML) Validity {
	date := func(name, s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			l.bad(file, line, "%s %q: write a date like 2026-03-01", name, s)
		}
		return t
	}
	out := Validity{From: date("valid_from", v.From), To: date("valid_to", v.To)}
	if !out.From.IsZero() && !out.To.IsZero() && !out.From.Before(out.To) {
		l.bad(file, line, "valid_from %s is not before valid_to %s", v.From, v.To)
	}
	return out
}

// hashOf is the SHA-256 over all entries, each in Go's syntax, sorted: file split and order do not matter.
func hashOf(l *loader) string {
	var lines []string
	add := func(kind string, v any) { lines = append(lines, kind+fmt.Sprintf("%#v", v)) }
	for _, e := range l.places {
		add("place", e.val)
	}
	for _, e := range l.borders {
		add("border", e.val)
	}
	for _, e := range l.breaks {
		add("break", e.val)
	}
	for _, e := range l.areas {
		add("area", e.val)
	}
	for _, e := range l.sections {
		add("section", e.val)
	}
	for _, e := range l.corridors {
		add("corridor", e.val)
	}
	sort.Strings(lines)
	h := sha256.Sum256([]byte(fmt.Sprintf("%v\n", l.maxSpeed) + strings.Join(lines, "\n")))
	return hex.EncodeToString(h[:])
}
