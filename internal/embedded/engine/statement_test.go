package engine

import "testing"

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, format, head, data string }{
		{text: "SELECT 1"},
		{text: "select 1 format JSON", format: "JSON"},
		{text: "select 1 FORMAT JSON;", format: "JSON"},
		{text: "select 1 format JSON settings max_threads=1", format: "JSON"},
		{text: "select format from t"},
		{text: "select 'x format CSV'"},
		{text: "select 1 -- format CSV"},
		{text: "select 1 /* x */ format /* y */ TSV -- z", format: "TSV"},
		{text: "select (select 1 format CSV) x"},
		{text: "insert into t select 1"},
		{text: "insert into t (a, format) select 1, 2 format Null"},
		{text: "insert into t with 1 as x select x"},
		{text: "INSERT INTO t", head: "INSERT INTO t"},
		{text: "INSERT INTO t FORMAT CSV\n1,2\n", format: "CSV", head: "INSERT INTO t ", data: "1,2\n"},
		{text: "INSERT INTO t (a, b) FORMAT TSV \n\t\n", format: "TSV", head: "INSERT INTO t (a, b) ", data: "\t\n"},
		{text: "INSERT INTO format FORMAT CSV", format: "CSV", head: "INSERT INTO format "},
		{text: "insert into db.values values (1)", format: "Values", head: "insert into db.values ", data: " (1)"},
		{text: "insert into `a b` (x) values('it''s \\' ok')", format: "Values", head: "insert into `a b` (x) ", data: "('it''s \\' ok')"},
		{text: "insert into t settings async_insert=0 format Native\n\x00\xff", format: "Native", head: "insert into t settings async_insert=0 ", data: "\x00\xff"},
		{text: "insert into function file('x.csv') format CSV 1", format: "CSV", head: "insert into function file('x.csv') ", data: "1"},
		{text: "insert into t format"},
		{text: "'unfinished"},
		{text: ""},
	} {
		s := parse(c.text)
		head, data := "", ""
		if s.insert {
			head, data = c.text[:s.head], c.text[s.data:]
		}
		if c.text == "insert into t format" {
			c.head = c.text
		}
		if s.format != c.format || head != c.head || data != c.data {
			t.Errorf("parse(%q) = format %q, head %q, data %q; want %q, %q, %q", c.text, s.format, head, data, c.format, c.head, c.data)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("insert into t (a) format CSV\n1,2")
	f.Add("select 'a' /* b */ format JSON")
	f.Add("\\'\"`--#/*")
	f.Fuzz(func(t *testing.T, text string) {
		s := parse(text)
		if s.head > s.data || s.data > len(text) {
			t.Errorf("parse(%q): head %d, data %d of %d bytes", text, s.head, s.data, len(text))
		}
	})
}
