package corridorwatch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// mayImport is the import table: a package (the longest prefix that fits) and what of this module it may import besides itself
// and what lies below it. Left knows nothing of right: schemas <- internal/kafkalog <- ingest, stream <- stages, sink <- cmd.
var mayImport = map[string][]string{
	"schemas":               {},
	"schemas/clickhouse":    {"schemas", "schemas/network"},
	"internal/kafkalog":     {},
	"internal/progress":     {},
	"internal/installation": {"schemas", "internal/kafkalog"},
	"internal/embedded":     {},
	"internal/tokens":       {},
	"ingest":                {"schemas", "internal/kafkalog", "internal/tokens"},
	"ingest/simulator":      {"schemas"},
	"processors/stream":     {"schemas", "internal/kafkalog"},
	"processors/recompute":  {"schemas", "processors/stream"},
	"processors/intake":     {"schemas", "processors/stream", "processors/recompute", "internal/kafkalog"},
	"processors/dwell":      {"schemas", "processors/stream", "processors/recompute"},
	"processors/border":     {"schemas", "processors/stream", "processors/recompute"},
	"processors/delay":      {"schemas", "processors/stream"},
	"processors/sink":       {"schemas", "internal/kafkalog"},
	"processors/deliver":    {"schemas", "internal/kafkalog"},
	"processors/live":       {"schemas/network", "internal/tokens"},
	"cmd":                   {"schemas", "ingest", "processors", "internal"},
}

// Only these packages know ClickHouse, only cmd reads the environment.
var (
	clickhouseIn = []string{"processors/sink", "schemas/clickhouse", "internal/embedded", "cmd"}
	environIn    = []string{"cmd"}
)

func TestImportTable(t *testing.T) {
	const module = "corridorwatch/"
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		for _, spec := range file.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			if inner, ok := strings.CutPrefix(name, module); ok && !allowed(pkg, inner) {
				t.Errorf("%s imports %s, which the import table does not allow", path, inner)
			}
			if strings.HasPrefix(name, "github.com/ClickHouse/") && !under(pkg, clickhouseIn) {
				t.Errorf("%s imports %s: only %v know ClickHouse", path, name, clickhouseIn)
			}
			if strings.HasPrefix(name, "github.com/caarlos0/env") && !under(pkg, environIn) {
				t.Errorf("%s imports %s: only %v read the environment", path, name, environIn)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func allowed(pkg, imported string) bool {
	row := ""
	for p := range mayImport {
		if within(pkg, p) && len(p) > len(row) {
			row = p
		}
	}
	return within(imported, row) || under(imported, mayImport[row])
}

func under(pkg string, prefixes []string) bool {
	for _, p := range prefixes {
		if within(pkg, p) {
			return true
		}
	}
	return false
}

func within(pkg, prefix string) bool { return pkg == prefix || strings.HasPrefix(pkg, prefix+"/") }
