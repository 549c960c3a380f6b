package schemas

import "time"

// Times are milliseconds since 1970-01-01 UTC. No event is older than firstTime: what says so comes from a device whose clock was
// never set (1970, 1980) or has wrapped around.
var (
	firstTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	lastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

// IsTime tells whether ms can be the time of an event.
func IsTime(ms int64) bool { return ms >= firstTime && ms < lastTime }

// maxOffset is the greatest distance from UTC, in minutes, that is believed; in use are -12:00 to +14:00.
const maxOffset = 15 * 60

// ParseTime reads an RFC 3339 time with its offset from UTC in minutes. It is lenient where senders are known to be sloppy and the
// meaning is clear: a blank for the T, lower-case t and z, and offsets such as +1:00, +0100 and +01. Digits beyond milliseconds
// are cut off; a leap second counts as the second after it. ok is false if the text is anything else: above all, a time without
// an offset is not a time.
func ParseTime[T string | []byte](b T) (ms int64, offsetMin int32, ok bool) {
	if len(b) < len("2006-01-02T15:04:05Z") && len(b) < len("2006-01-02T15:04:05+1") {
		return 0, 0, false
	}
	year, month, day := digits4(b, 0), digits2(b, 5), digits2(b, 8)
	hour, minute, second := digits2(b, 11), digits2(b, 14), digits2(b, 17)
	if b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != 't' && b[10] != ' ' || b[13] != ':' || b[16] != ':' ||
		year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0, 0, false
	}
	i, milli := 19, 0
	if i < len(b) && b[i] == '.' {
		from := i + 1
		for i = from; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			if i-from < 3 {
				milli = milli*10 + int(b[i]-'0')
			}
		}
		for n := i - from; n < 3; n++ {
			if n == 0 {
				return 0, 0, false
			}
			milli *= 10
		}
	}
	offsetMin, ok = parseOffset(b[i:])
	seconds := int64(daysFrom1970(year, month, day))*86400 + int64(hour*3600+minute*60+second) - int64(offsetMin)*60
	return seconds*1000 + int64(milli), offsetMin, ok
}

// parseOffset reads Z, +01:00, +1:00, +0100 or +01.
func parseOffset[T string | []byte](b T) (int32, bool) {
	if len(b) == 1 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, true
	}
	if len(b) < 2 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	var hours, minutes int
	switch n := len(b) - 1; {
	case n == 5 && b[3] == ':':
		hours, minutes = digits2(b, 1), digits2(b, 4)
	case n == 4 && b[2] == ':':
		hours, minutes = digits1(b, 1), digits2(b, 3)
	case n == 4:
		hours, minutes = digits2(b, 1), digits2(b, 3)
	case n == 2:
		hours = digits2(b, 1)
	case n == 1:
		hours = digits1(b, 1)
	default:
		return 0, false
	}
	total := hours*60 + minutes
	if hours < 0 || minutes < 0 || minutes > 59 || total > maxOffset {
		return 0, false
	}
	if b[0] == '-' {
		total = -total
	}
	return int32(total), true
}

func digits1[T string | []byte](b T, i int) int {
	if c := b[i]; c >= '0' && c <= '9' {
		return int(c - '0')
	}
	return -1
}

func digits2[T string | []byte](b T, i int) int {
	hi, lo := digits1(b, i), digits1(b, i+1)
	if hi < 0 || lo < 0 {
		return -1
	}
	return hi*10 + lo
}

func digits4[T string | []byte](b T, i int) int {
	hi, lo := digits2(b, i), digits2(b, i+2)
	if hi < 0 || lo < 0 {
		return -1
	}
	return hi*100 + lo
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysFrom1970 counts days of the proleptic Gregorian calendar; the year begins in March, so that the leap day comes last.
// Source: H. Hinnant, "chrono-compatible low-level date algorithms".
func daysFrom1970(year, month, day int) int {
	if month <= 2 {
		year, month = year-1, month+12
	}
	era := year / 400
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// AppendTime appends ms as RFC 3339 with the given offset from UTC; milliseconds only if there are any.
func AppendTime(b []byte, ms int64, offsetMin int32) []byte {
	t := time.UnixMilli(ms).UTC()
	if offsetMin != 0 {
		t = t.In(time.FixedZone("", int(offsetMin)*60))
	}
	if ms%1000 != 0 {
		return t.AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05Z07:00")
}
