package delay

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hours is a duration in seconds, for people: 45 min, 61 h, 4 d 3 h.
func hours(seconds int64) string {
	switch h := (seconds + 1800) / 3600; {
	case seconds < 90*60:
		return fmt.Sprintf("%d min", (seconds+30)/60)
	case h < 72:
		return fmt.Sprintf("%d h", h)
	default:
		return fmt.Sprintf("%d d %d h", h/24, h%24)
	}
}

// moment is a time, for people.
func moment(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01-02 15:04 UTC") }

// number is a figure without more digits than it has.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// trains counts them.
func trains(n int) string {
	if n == 1 {
		return "1 train"
	}
	return fmt.Sprintf("%d trains", n)
}

// are says that so many are.
func are(n int) string {
	if n == 1 {
		return "1 train is"
	}
	return trains(n) + " are"
}

// inWords is a duration in hours, for people.
func inWords(h float64) string { return hours(int64(math.Round(h * 3600))) }

// upper begins a sentence.
func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// waiting says that so many wait.
func waiting(n int) string {
	if n == 1 {
		return "1 train waits"
	}
	return trains(n) + " wait"
}

// text says what a stay is held against.
func (y yardstick) text() string {
	switch {
	case y.ordinary:
		return fmt.Sprintf("usual %s, 95 of 100 within %s (%d in 28 days, without those that a delay of the border itself fell on)", hours(y.median), hours(y.p95), y.n)
	case y.basis == basisUsual:
		return fmt.Sprintf("usual %s, 95 of 100 within %s (%d in the 28 days before)", hours(y.median), hours(y.p95), y.n)
	case y.basis == basisNorm:
		return fmt.Sprintf("norm of the catalogue %s, 95 of 100 within %s; only %d in the 28 days before", hours(y.median), hours(y.p95), y.n)
	}
	return fmt.Sprintf("nothing to hold it against: no norm, and only %d in the 28 days before", y.n)
}

func inHours(seconds int64) float64 { return float64(seconds) / 3600 }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
