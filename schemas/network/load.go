package network

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

//go:embed *.yaml
var embedded embed.FS

// Problem is one mistake of a catalogue.
type Problem struct {
	File string
	Line int
	Text string // what is wrong and what to do
}

// Error is "file.yaml:12: what is wrong and what to do".
func (p Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Embedded is the catalogue that ships with the program.
func Embedded() (*Catalog, error) {
	c, problems, err := load(embedded)
	return whole(c, problems, err)
}

// LoadDir reads the *.yaml, *.yml and *.csv files of a directory (not of those below it). The error joins every mistake, each a
// Problem; or it says why the directory cannot be read.
func LoadDir(dir string) (*Catalog, error) {
	c, problems, err := load(os.DirFS(dir))
	return whole(c, problems, err)
}

// Check names every mistake of the catalogue in a directory, by file and line; none if it can be loaded. The error says why the
// directory cannot be read.
func Check(dir string) ([]Problem, error) {
	_, problems, err := load(os.DirFS(dir))
	return problems, err
}

func whole(c *Catalog, problems []Problem, err error) (*Catalog, error) {
	if err != nil {
		return nil, err
	}
	if len(problems) == 0 {
		return c, nil
	}
	all := make([]error, len(problems))
	for i, p := range problems {
		all[i] = p
	}
	return nil, errors.Join(all...)
}

// The kinds of entries a file may hold, in the order in which they are built: each may name those before it.
func topics() []string {
	return []string{"places", "sections", "borders", "gauge_breaks", "corridors", "areas", "sources"}
}

// raw is an entry as it stands in its file.
type raw struct {
	file  string
	node  *yaml.Node
	norms normDefaults
}

// normDefaults is what a file says of all norms in it.
type normDefaults struct {
	estimate bool
	source   string
}

// loader gathers the entries of all files, then builds the catalogue of them.
type loader struct {
	c        *Catalog
	problems []Problem
	raw      map[string][]raw
	maxSpeed struct {
		file string
		line int
	}
	where map[string]string // of every id, "file:line", for the message when it comes again
	names map[string][]*Place
}

func (l *loader) bad(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{file, line, fmt.Sprintf(format, args...)})
}

func load(fsys fs.FS) (*Catalog, []Problem, error) {
	files, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, nil, fmt.Errorf("read catalogue: %w", err)
	}
	l := &loader{raw: map[string][]raw{}, where: map[string]string{}, names: map[string][]*Place{}, c: &Catalog{
		maxSpeed: DefaultMaxSpeedKmh, places: map[string]*Place{}, borders: map[string]*Border{}, codes: map[string]*Place{},
		sides: map[string][]BorderSide{}, neighbors: map[string][]*Section{}, routes: map[routeKey]Route{},
	}}
	read := 0
	for _, f := range files {
		ext := path.Ext(f.Name())
		if f.IsDir() || ext != ".yaml" && ext != ".yml" && ext != ".csv" {
			continue
		}
		b, err := fs.ReadFile(fsys, f.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("read catalogue: %w", err)
		}
		read++
		if ext == ".csv" {
			l.csv(f.Name(), b)
		} else {
			l.yaml(f.Name(), b)
		}
	}
	if read == 0 {
		return nil, nil, errors.New("read catalogue: no .yaml file and no places.csv there")
	}
	l.build()
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return l.c, l.problems, nil
}

// yaml gathers the entries of one file.
func (l *loader) yaml(file string, b []byte) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line, text := lineOf(err)
			l.bad(file, line, "%s: mend the YAML here or a little above", text)
			return
		}
		if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
			continue
		}
		if f := l.entry(file, doc.Content[0], "file"); f != nil {
			l.document(f)
		}
	}
}

func (l *loader) document(f *fields) {
	if v := f.positive("max_speed_kmh", "km/h", 1000); v > 0 {
		if l.maxSpeed.line > 0 {
			f.bad(f.at("max_speed_kmh"), "max_speed_kmh is given at %s:%d already: remove one", l.maxSpeed.file, l.maxSpeed.line)
		}
		l.c.maxSpeed, l.maxSpeed.file, l.maxSpeed.line = v, f.file, f.at("max_speed_kmh")
	}
	norms := normDefaults{}
	if n := f.sub("norms"); n != nil {
		norms = normDefaults{estimate: n.truth("estimate"), source: n.text("source")}
		n.finish()
	}
	for _, topic := range topics() {
		for _, n := range f.items(topic) {
			l.raw[topic] = append(l.raw[topic], raw{f.file, n, norms})
		}
	}
	f.finish()
}

// lineOf finds the line a message of the YAML parser speaks of.
func lineOf(err error) (int, string) {
	text := regexp.MustCompile(`^yaml: `).ReplaceAllString(err.Error(), "")
	m := regexp.MustCompile(`line (\d+): `).FindStringSubmatchIndex(text)
	if m == nil {
		return 1, text
	}
	line, _ := strconv.Atoi(text[m[2]:m[3]])
	return max(line, 1), text[:m[0]] + text[m[1]:]
}
