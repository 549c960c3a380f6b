package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v4"

	"corridorwatch/processors/delay"
)

// readSettings reads the thresholds that a file changes: names with dots, or one within the other.
//
//	overdue.fire: 1.6
//	life: {wide_after: 20m}
func readSettings(path string) (delay.Settings, error) {
	set := delay.Defaults()
	if path == "" {
		return set, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return set, fmt.Errorf("read the settings: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return set, fmt.Errorf("%s: %w", path, err)
	}
	var problems []error
	seen := map[string]int{}
	for _, top := range doc.Content { // an empty file has none
		takeSettings(&set, "", top, func(line int, name string, err error) {
			if before := seen[name]; err == nil && before != 0 {
				err = fmt.Errorf("%s stands in line %d already", name, before)
			}
			if seen[name] = line; err != nil {
				problems = append(problems, fmt.Errorf("%s:%d: %w", path, line, err))
			}
		})
	}
	if len(problems) == 0 {
		if err := set.Check(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", path, err))
		}
	}
	return set, errors.Join(problems...)
}

// takeSettings goes through a mapping, and tells done of each name what came of it.
func takeSettings(set *delay.Settings, prefix string, n *yaml.Node, done func(line int, name string, err error)) {
	if n.Kind != yaml.MappingNode {
		done(n.Line, prefix, errors.New("here stand names and values, such as overdue.fire: 1.6"))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := prefix + key.Value
		switch value.Kind {
		case yaml.MappingNode:
			takeSettings(set, name+".", value, done)
		case yaml.SequenceNode:
			var list string
			for _, v := range value.Content {
				if list += v.Value; v != value.Content[len(value.Content)-1] {
					list += ","
				}
			}
			done(key.Line, name, set.Set(name, list))
		default:
			done(key.Line, name, set.Set(name, value.Value))
		}
	}
}

// printSettings writes them as such a file.
func printSettings(out io.Writer, set delay.Settings) {
	for _, s := range set.List() {
		fmt.Fprintf(out, "%s: %s\n", s.Name, s.Value)
	}
}

// changedSettings are those that are not as they are by default.
func changedSettings(set delay.Settings) []changedSetting {
	all := []changedSetting{}
	defaults := delay.Defaults().List()
	for i, s := range set.List() {
		if s != defaults[i] {
			all = append(all, changedSetting{s.Name, s.Value, defaults[i].Value})
		}
	}
	return all
}

type changedSetting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default string `json:"default"`
}
