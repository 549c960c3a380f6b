package schemas

import (
	"math"
	"strconv"
)

// degrees turns the text of a JSON number into 1e-7 degrees, rounded half away from zero, without going through floating point.
// What is too large for any coordinate comes out as something too large.
func degrees(n []byte) int64 {
	i, negative := 0, false
	if n[0] == '-' {
		i, negative = 1, true
	}
	var v int64
	for ; i < len(n) && n[i] >= '0' && n[i] <= '9'; i++ {
		if v = v*10 + int64(n[i]-'0'); v > 1000 {
			return slowDegrees(n)
		}
	}
	decimals, up := 0, false
	if i < len(n) && n[i] == '.' {
		for i++; i < len(n) && n[i] >= '0' && n[i] <= '9'; i++ {
			switch {
			case decimals < 7:
				v = v*10 + int64(n[i]-'0')
			case decimals == 7:
				up = n[i] >= '5'
			}
			decimals++
		}
	}
	if i < len(n) {
		return slowDegrees(n) // an exponent
	}
	for ; decimals < 7; decimals++ {
		v *= 10
	}
	if up {
		v++
	}
	if negative {
		v = -v
	}
	return v
}

func slowDegrees(n []byte) int64 {
	v, _ := strconv.ParseFloat(string(n), 64)
	return int64(math.Round(min(max(v, -1000), 1000) * 1e7))
}

var powersOfTen = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimal turns the text of a JSON number into the nearest float64. Up to 15 digits, mantissa and power of ten are exact, and so
// one division rounds correctly; the rest goes the long way.
func decimal(n []byte) float64 {
	i, negative := 0, false
	if n[0] == '-' {
		i, negative = 1, true
	}
	if len(n)-i > 16 {
		return slowDecimal(n)
	}
	var mantissa int64
	decimals, point := 0, false
	for ; i < len(n); i++ {
		switch c := n[i]; {
		case c >= '0' && c <= '9':
			mantissa = mantissa*10 + int64(c-'0')
			if point {
				decimals++
			}
		case c == '.':
			point = true
		default:
			return slowDecimal(n)
		}
	}
	if mantissa >= 1e15 {
		return slowDecimal(n)
	}
	v := float64(mantissa) / powersOfTen[decimals]
	if negative {
		v = -v
	}
	return v
}

func slowDecimal(n []byte) float64 {
	v, _ := strconv.ParseFloat(string(n), 64) // out of range comes as an infinity, which no check lets pass
	return v
}
