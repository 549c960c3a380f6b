package live

import (
	"maps"
	"slices"
	"strings"
)

// index lists the views, with what they hold.
func index(views map[string]*view) any {
	type entry struct {
		View    string `json:"view"`
		Href    string `json:"href"`
		Comment string `json:"comment,omitempty"`
	}
	out := []entry{}
	for _, name := range slices.Sorted(maps.Keys(views)) {
		out = append(out, entry{name, "/api/v1/" + name, views[name].Comment})
	}
	return map[string]any{"views": out, "openapi": "/api/v1/openapi.json", "stream": "/api/v1/stream"}
}

type object = map[string]any

// openAPI describes the API by the comments of the views' columns: there is one text that says what a column means.
func openAPI(views map[string]*view) any {
	paths, schemas := object{}, object{}
	for name, v := range views {
		properties := object{}
		parameters := []any{
			object{"$ref": "#/components/parameters/format"}, object{"$ref": "#/components/parameters/order"}, object{"$ref": "#/components/parameters/columns"},
			object{"$ref": "#/components/parameters/limit"}, object{"$ref": "#/components/parameters/offset"},
		}
		for _, p := range v.Params {
			must := parameter(p.Name, p.Comment, object{"type": "string"})
			must["required"] = true
			parameters = append(parameters, must)
		}
		for _, c := range v.Columns {
			properties[c.Name] = schemaOf(c)
			parameters = append(parameters, parameter(c.Name, "rows with one of these values, separated by commas: "+c.Comment, object{"type": "string"}))
			if ordered(c) {
				parameters = append(parameters, parameter(c.Name+".from", "from this value on", schemaOf(c)), parameter(c.Name+".to", "below this value", schemaOf(c)))
			}
		}
		schemas[name] = object{"type": "object", "description": v.Comment, "properties": properties}
		rows := object{"type": "array", "items": object{"$ref": "#/components/schemas/" + name}}
		paths["/"+name] = object{"get": object{
			"operationId": "get_" + name, "summary": summary(v), "parameters": parameters,
			"responses": object{
				"200": object{"description": "the rows", "content": object{
					"application/json":     object{"schema": object{"type": "object", "properties": object{"data": rows, "rows": object{"type": "integer"}}}},
					"application/x-ndjson": object{"schema": object{"$ref": "#/components/schemas/" + name}},
					"text/csv":             object{"schema": object{"type": "string"}},
				}},
				"400": object{"description": "an unknown column or value; the error says which"},
				"503": object{"description": "ClickHouse does not answer"},
			},
		}}
	}
	paths["/stream"] = object{"get": object{
		"operationId": "stream", "summary": "what is now, as server-sent events: snapshot, then delta; state says how fresh it is",
		"parameters": []any{parameter("views", "only these, separated by commas: "+strings.Join(Views(), ", "), object{"type": "string"}), parameter("last", "id of the last event that was received", object{"type": "string"})},
		"responses":  object{"200": object{"description": "events", "content": object{"text/event-stream": object{"schema": object{"type": "string"}}}}},
	}}
	paths["/pipeline"] = object{"get": object{
		"operationId": "pipeline", "summary": "how far stages and sinks are: stage time of each task, records not dealt with, and why the installation is not ready, if so",
		"responses": object{"200": object{"description": "the state now", "content": object{"application/json": object{"schema": object{"type": "object"}}}}},
	}}
	paths["/report"] = object{"get": object{
		"operationId": "report", "summary": "the sheet of a shift or railway day at a border: on hand at start, arrived, left, on hand at end, refused, held, longest waits",
		"parameters": []any{
			parameter("border", "catalogue id of the border", object{"type": "string"}), parameter("day", "railway day, YYYY-MM-DD; the last that has begun on both sides unless given", object{"type": "string"}),
			parameter("shift", "first or second twelve hours; the whole day unless given", object{"type": "string", "enum": []string{"first", "second"}}),
			parameter("unit_kind", "train unless given", object{"type": "string"}),
		},
		"responses": object{"200": object{"description": "the sheet", "content": object{"application/json": object{"schema": object{"type": "object"}}}}, "400": object{"description": "no such border, day or shift"}},
	}}
	return object{
		"openapi": "3.1.0",
		"info": object{"title": "corridorwatch", "version": "1", "description": "Dwell times, legs and border crossings of rail freight. Each path is a view of the same name in ClickHouse " +
			"(v_ before it), or a query of the page. Times are UTC, durations seconds."},
		"servers": []any{object{"url": "/api/v1"}},
		"paths":   paths,
		"components": object{"schemas": schemas, "parameters": object{
			"format":  parameter("format", "json, ndjson or csv", object{"type": "string", "enum": []string{"json", "ndjson", "csv"}, "default": "json"}),
			"order":   parameter("order", "columns to sort by, separated by commas; - before one: greatest first", object{"type": "string"}),
			"columns": parameter("columns", "only these columns, separated by commas", object{"type": "string"}),
			"limit":   parameter("limit", "how many rows at most", object{"type": "integer", "default": usualRows, "maximum": mostRows}),
			"offset":  parameter("offset", "how many rows to leave out", object{"type": "integer", "default": 0}),
		}},
	}
}

func parameter(name, what string, schema any) object {
	return object{"name": name, "in": "query", "description": what, "schema": schema}
}

func summary(v *view) string {
	first, _, _ := strings.Cut(v.Comment, ". ")
	if first == "" {
		return "rows of " + v.Name
	}
	return first
}

// ordered tells whether bounds of a column make sense.
func ordered(c column) bool {
	t := c.plain()
	return strings.HasPrefix(t, "Date") || strings.HasPrefix(t, "Int") || strings.HasPrefix(t, "UInt") || strings.HasPrefix(t, "Float")
}

// schemaOf is the JSON schema of a column.
func schemaOf(c column) object {
	out := object{"description": c.Comment}
	switch t := c.plain(); {
	case strings.HasPrefix(t, "Date"):
		out["type"], out["format"] = "string", "date-time"
	case strings.HasPrefix(t, "Int"), strings.HasPrefix(t, "UInt"):
		out["type"] = "integer"
	case strings.HasPrefix(t, "Float"):
		out["type"] = "number"
	case t == "Bool":
		out["type"] = "boolean"
	case strings.HasPrefix(t, "Array"):
		out["type"] = "array"
	case strings.HasPrefix(t, "Map"), strings.HasPrefix(t, "Tuple"):
		out["type"] = "object"
	default:
		out["type"] = "string"
	}
	if strings.Contains(c.Type, "Nullable(") {
		out["type"] = []any{out["type"], "null"}
	}
	return out
}
