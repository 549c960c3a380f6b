package normal

import (
	"fmt"
	"strings"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

const runForm = "runs are operator:number or index:service date, such as KTZ:7084-087-1306:2026-03-01"

// Run brings the id of a run or voyage into its normal form, operator:number:YYYY-MM-DD. Blanks around the parts go, those within
// become hyphens, and the date may be written YYYYMMDD. operator:date-number is understood too. A number without operator or date
// is refused: numbers are used again every day, and two runs taken for one cannot be told apart any more.
func Run(id string) (string, *schemas.Fault) {
	if normalRun(id) {
		return id, nil
	}
	parts := strings.Split(id, ":")
	if len(parts) == 2 { // operator:date-number
		if date, number, ok := dated(parts[1]); ok {
			parts = []string{parts[0], number, date}
		}
	}
	for i, p := range parts {
		parts[i] = strings.Join(strings.Fields(p), "-")
		if parts[i] == "" || len(parts) > 3 {
			return "", &schemas.Fault{Reason: schemas.ImpossibleValue, Detail: fmt.Sprintf("%q is not the id of a run: %s", id, runForm)}
		}
	}
	if len(parts) < 3 {
		return "", &schemas.Fault{Reason: schemas.MissingField, Detail: fmt.Sprintf("%q has no operator or no service date: %s", id, runForm)}
	}
	date, ok := serviceDate(parts[2])
	if !ok {
		return "", &schemas.Fault{Reason: schemas.ImpossibleValue, Detail: fmt.Sprintf("%q is not a service date: %s", parts[2], runForm)}
	}
	return parts[0] + ":" + parts[1] + ":" + date, nil
}

// normalRun tells quickly whether nothing needs to be done.
func normalRun(id string) bool {
	n := len(id) - len(":2006-01-02")
	return n >= len("o:1") && id[n] == ':' && schemas.ValidDate(id[n+1:]) && id[0] != ':' && id[n-1] != ':' &&
		strings.Count(id[:n], ":") == 1 && !strings.ContainsAny(id, " \t\r\n\v\f\u0085\u00a0")
}

// dated splits 20260301-7084 or 2026-03-01-7084.
func dated(s string) (date, number string, ok bool) {
	for _, n := range [...]int{len("20060102"), len("2006-01-02")} {
		if len(s) > n+1 && s[n] == '-' {
			if date, ok := serviceDate(s[:n]); ok {
				return date, s[n+1:], true
			}
		}
	}
	return "", "", false
}

func serviceDate(s string) (string, bool) {
	if len(s) == len("20060102") {
		s = s[:4] + "-" + s[4:6] + "-" + s[6:]
	}
	return s, schemas.ValidDate(s)
}

func run(path string, id *string) *schemas.Fault {
	var f *schemas.Fault
	if *id, f = Run(*id); f != nil {
		f.Path = path
	}
	return f
}

// kindOfVehicle tells vessels, whose ids begin with the kind of their number, from trains.
func kindOfVehicle(id string) pb.UnitKind {
	operator, _, _ := strings.Cut(id, ":")
	switch strings.ToUpper(strings.TrimSpace(operator)) {
	case "IMO", "MMSI":
		return pb.UnitKind_VESSEL
	}
	return pb.UnitKind_TRAIN
}

const maxUnit = 32

// Unit brings a wagon or container number into its normal form: upper-case letters and digits, nothing else. Blanks, hyphens, dots
// and slashes between them are dropped.
func Unit(number string) (string, *schemas.Fault) {
	clean := true
	for i := 0; i < len(number); i++ {
		clean = clean && (number[i] >= '0' && number[i] <= '9' || number[i] >= 'A' && number[i] <= 'Z')
	}
	if clean && number != "" && len(number) <= maxUnit {
		return number, nil
	}
	out := make([]byte, 0, len(number))
	for i := 0; i < len(number); i++ {
		switch c := number[i]; {
		case c >= 'a' && c <= 'z':
			out = append(out, c-'a'+'A')
		case c >= '0' && c <= '9' || c >= 'A' && c <= 'Z':
			out = append(out, c)
		case c == ' ' || c == '-' || c == '.' || c == '/' || c == '\t':
		default:
			return "", badUnit(number)
		}
	}
	if len(out) == 0 || len(out) > maxUnit {
		return "", badUnit(number)
	}
	return string(out), nil
}

func badUnit(number string) *schemas.Fault {
	return &schemas.Fault{Reason: schemas.ImpossibleValue,
		Detail: fmt.Sprintf("%q is not a wagon or container number: letters and digits only, at most %d", number[:min(len(number), 60)], maxUnit)}
}

func unit(path string, number *string) *schemas.Fault {
	var f *schemas.Fault
	if *number, f = Unit(*number); f != nil {
		f.Path = path
	}
	return f
}
