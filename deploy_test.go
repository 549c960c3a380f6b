package corridorwatch_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const rulesDir = "deploy/prometheus"

// TestRules lets promtool check the alerting rules and run their own tests.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
			t.Fatal("promtool is missing: apt-get install prometheus")
		}
		t.Skip("promtool is missing: apt-get install prometheus")
	}
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = rulesDir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestEveryRule: each alert has a runbook and a test that it fires, and asks for metrics that the program has.
func TestEveryRule(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	readYAML(t, "rules.yml", &rules)
	var tests struct {
		Tests []struct {
			Alerts []struct {
				Name     string `yaml:"alertname"`
				Expected []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	readYAML(t, "rules_test.yml", &tests)
	fires := map[string]bool{}
	for _, test := range tests.Tests {
		for _, a := range test.Alerts {
			fires[a.Name] = fires[a.Name] || len(a.Expected) > 0
		}
	}
	named := namedMetrics(t)
	books := map[string]bool{}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			book := "docs/runbooks/" + r.Alert + ".md"
			books[book] = true
			if r.Annotations["runbook_url"] != book {
				t.Errorf("%s: runbook_url is %q, want %s", r.Alert, r.Annotations["runbook_url"], book)
			}
			if _, err := os.Stat(book); err != nil {
				t.Errorf("%s has no runbook: %v", r.Alert, err)
			}
			if !fires[r.Alert] {
				t.Errorf("%s fires in no test of %s/rules_test.yml", r.Alert, rulesDir)
			}
			for _, metric := range regexp.MustCompile(`corridorwatch_\w+`).FindAllString(r.Expr, -1) {
				if !named[metric] {
					t.Errorf("%s asks for %s, which the program does not have", r.Alert, metric)
				}
			}
		}
	}
	files, err := filepath.Glob("docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !books[filepath.ToSlash(f)] {
			t.Errorf("%s is the runbook of no rule", f)
		}
	}
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(rulesDir, name))
	if err == nil {
		err = yaml.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// namedMetrics are the names of metrics in the program's source, written whole or behind the prefix that their file puts before them.
func namedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	words := regexp.MustCompile(`"([a-z_]+)"`)
	prefix := regexp.MustCompile(`"(corridorwatch_[a-z]+_)" \+`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		before := ""
		if m := prefix.FindSubmatch(text); m != nil {
			before = string(m[1])
		}
		for _, m := range words.FindAllSubmatch(text, -1) {
			out[string(m[1])] = true
			if before != "" {
				out[before+string(m[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
