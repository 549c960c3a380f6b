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

// Unit brings a wagon or container number into its normal form: upper-case letters and digits, nothing else. Blanks, hyphens, dots
// and slashes between them are dropped. A wagon has 7 digits (China), 8 (1520 mm network) or 12 (UIC), a container four letters and seven digits
// (ISO 6346; swap bodies by EN 13044 likewise). With a digit too many or too few it would be a unit that does not exist, beside the one it is.
func Unit(number string) (string, *schemas.Fault) {
	out := number
	if strings.ContainsFunc(number, func(c rune) bool { return (c < '0' || c > '9') && (c < 'A' || c > 'Z') }) {
		out = strings.Map(func(c rune) rune {
			switch {
			case c >= 'a' && c <= 'z':
				return c - 'a' + 'A'
			case c == ' ' || c == '-' || c == '.' || c == '/' || c == '\t':
				return -1
			}
			return c
		}, number)
	}
	letters := len(out) - len(strings.TrimLeft(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	digits := len(out) - letters
	if strings.Trim(out[letters:], "0123456789") != "" || letters != 0 && letters != 4 {
		return "", badUnit(number, "")
	}
	switch {
	case letters == 4 && digits != 7:
		return "", badUnit(number, fmt.Sprintf(", and this has %d digits", digits))
	case letters == 0 && digits != 7 && digits != 8 && digits != 12:
		return "", badUnit(number, fmt.Sprintf(", and this is of %d digits", digits))
	}
	return out, nil
}

func badUnit(number, but string) *schemas.Fault {
	return &schemas.Fault{Reason: schemas.ImpossibleValue, Detail: fmt.Sprintf("%q is not a wagon or container number: a wagon has 7 digits (China), 8 or 12 (UIC), "+
		"a container four letters and seven digits (ISO 6346)%s; ask the sender, or mend it and retry", number[:min(len(number), 60)], but)}
}

func unit(path string, number *string) *schemas.Fault {
	var f *schemas.Fault
	if *number, f = Unit(*number); f != nil {
		f.Path = path
	}
	return f
}
