package schemas

import (
	"strings"
)

// Describe is the reference of all event types in Markdown, made from the tables by which events are read and written.
func Describe() string {
	var b strings.Builder
	b.WriteString(describeHead)
	for _, t := range eventTypes {
		b.WriteString("\n## ")
		for i, p := range t.prefixes {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("`" + p + "." + t.word + "`")
		}
		b.WriteString("\n\nSubject: " + t.subject + ". " + strings.ToUpper(t.about[:1]) + t.about[1:] + ".\n")
		if len(t.data) == 0 {
			b.WriteString("\nNo data.\n")
			continue
		}
		b.WriteString("\n| data | | value | meaning |\n|---|---|---|---|\n")
		describeParts(&b, "", t.data.describe())
	}
	return b.String()
}

func describeParts(b *strings.Builder, under string, parts []part) {
	for _, p := range parts {
		need := ""
		if p.need {
			need = "required"
		}
		b.WriteString("| `" + under + p.name + "` | " + need + " | " + p.kind + " | " + p.doc + " |\n")
		describeParts(b, under+p.name+"[].", p.parts)
	}
}

const describeHead = `# Events

<!-- Written by 'go test ./schemas -run TestDescribe -update' out of the tables that read and write events. -->

Events are CloudEvents 1.0 in structured JSON mode, one object an event. The same goes for files (a line each), HTTP and Kafka; on
Kafka they may also be the protobuf message ` + "`corridorwatch.v1.Event`" + `. An example of every type lies in ` + "`schemas/testdata/events`" + `.

| attribute | | value | meaning |
|---|---|---|---|
| ` + "`specversion`" + ` | required | "1.0" | |
| ` + "`type`" + ` | required | event type | one of those below |
| ` + "`source`" + ` | required | text | who says so; source and id identify the event |
| ` + "`id`" + ` | required | text | sent again under the same id, an event counts once |
| ` + "`time`" + ` | required | time | when it happened: RFC 3339 with an offset, which is kept |
| ` + "`subject`" + ` | required | text | what it is about |
| ` + "`recordedat`" + ` | | time | the sender's own time of record: of two events with one source and id the later recorded counts |
| ` + "`classifier`" + ` | | one of actual, estimated, planned | actual if not given; only actual events are facts |
| ` + "`data`" + ` | | object | see below |

- A **run** is operator, number or index, and service date: ` + "`KTZ:7084-087-1306:2026-03-01`" + `. A voyage has the same form, with the ship's
  number in the middle: ` + "`IMO:9741372:2026-03-05`" + `. A bare number is refused, since numbers are used again every day.
- A **unit** is a wagon (7, 8 or 12 digits) or a container (four letters and seven digits, ISO 6346); blanks, hyphens, dots and slashes do not
  matter. A number of another length is refused. Check digits are not looked at: one mistyped digit does not make the stay of a real container untrue.
- A **place** is a slug of the catalogue or ` + "`scheme:code`" + ` (` + "`locode:KZAAU`, `esr:708507`, `taf:...`, `name:Dostyk`" + `); borders, areas and
  sections are slugs.
- Fields that are not listed are ignored, null counts as not given, and a number may stand for a text. Times may also have offsets
  such as +1:00, +0100 and +01. What is missing, unknown or impossible goes to ` + "`rejects`" + ` with its reason and path.
- Impossible are also: latitude and longitude both exactly 0 (a tracker without a fix), times before 2000 and after 2199.
`
