package network

// ValidContainer checks a container number (ISO 6346): four letters, six digits, check digit.
func ValidContainer(id string) bool {
	if len(id) != 11 {
		return false
	}
	sum := 0
	for i := range 10 {
		v := 0
		switch c := id[i]; {
		case i < 4 && c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
			v += (v - 1) / 10 // 11, 22 and 33 are left out
		case i >= 4 && c >= '0' && c <= '9':
			v = int(c - '0')
		default:
			return false
		}
		sum += v << i
	}
	return id[10] >= '0' && id[10] <= '9' && sum%11%10 == int(id[10]-'0')
}

// ValidWagon8 checks a wagon number of the 1520 mm network: seven digits and a Luhn check digit.
func ValidWagon8(id string) bool { return len(id) == 8 && luhn(id) }

// ValidWagon12 checks a UIC wagon number: eleven digits and a Luhn check digit.
func ValidWagon12(id string) bool { return len(id) == 12 && luhn(id) }

func luhn(id string) bool {
	sum := 0
	for i := range len(id) {
		c := id[len(id)-1-i]
		if c < '0' || c > '9' {
			return false
		}
		d := int(c - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

// ValidESR checks a station code of the 1520 mm network (ESR, six digits): weights 1 to 5 modulo 11, where that gives 10 weights
// 3 to 7, where that gives 10 again 0.
func ValidESR(id string) bool {
	if len(id) != 6 {
		return false
	}
	sums := [2]int{}
	for i := range 5 {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
		sums[0] += int(id[i]-'0') * (i + 1)
		sums[1] += int(id[i]-'0') * (i + 3)
	}
	check := sums[0] % 11
	if check == 10 {
		check = sums[1] % 11 % 10
	}
	return int(id[5])-'0' == check
}
