package clickhouse

import (
	"io/fs"
	"strings"
)

// Statements are what Migrate lets each server do, but for what it finds out there.
func Statements(c Config) (map[string][]string, error) {
	servers, err := c.servers()
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, one := range servers {
		for dir, files := range map[string]fs.FS{"migrations": migrations, "views": views} {
			rendered, err := one.render(files, dir)
			if err != nil {
				return nil, err
			}
			names, err := fs.Glob(rendered, "*.sql")
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				text, err := fs.ReadFile(rendered, name)
				if err != nil {
					return nil, err
				}
				for _, s := range strings.Split(string(text), ";\n") {
					if _, up, found := strings.Cut(s, "-- +goose Up"); found {
						s = up
					}
					if s = strings.TrimRight(strings.TrimSpace(s), ";"); s != "" {
						out[one.Addr] = append(out[one.Addr], s)
					}
				}
			}
		}
		for table := range shardKeys {
			out[one.Addr] = append(out[one.Addr], one.distributed(table))
		}
	}
	return out, nil
}
