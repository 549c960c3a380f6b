package network

import "testing"

func TestCheckDigits(t *testing.T) {
	f := func(valid func(string) bool, want bool, ids ...string) {
		t.Helper()
		for _, id := range ids {
			if valid(id) != want {
				t.Errorf("%s: got %v", id, !want)
			}
		}
	}
	f(ValidContainer, true, "CSQU3054383", "MSCU1234566", "BEAU5694302", "KTZU0002000") // the last leaves 10, written 0
	f(ValidContainer, false, "CAIU9876543", "csqu3054383", "CSQU305438", "CSQU30543833", "CSQ03054383", "CSQU305438X", "")
	f(ValidWagon12, true, "218124712173", "518008430010")
	f(ValidWagon12, false, "218124712174", "60663127", "21812471217X", "")
	f(ValidWagon8, true, "60663127", "54263785", "94412053")
	f(ValidWagon8, false, "60663128", "06663127", "218124712173", "6066312X", "")
	f(ValidESR, true, "708507")
	f(ValidESR, false, "708508", "70850", "7085071", "70850x", "x08507", "")
}

// TestESRSecondWeights: where the first weights leave 10, weights 3 to 7 decide; where they leave 10 again, the digit is 0.
func TestESRSecondWeights(t *testing.T) {
	// 00002: 2*5 = 10, then 2*7 = 14, 14 mod 11 = 3
	if !ValidESR("000023") || ValidESR("000020") {
		t.Error("00002 has check digit 3")
	}
	// 40004 by the first weights: 4 + 20 = 24, 24 mod 11 = 2
	if !ValidESR("400042") {
		t.Error("40004 has check digit 2")
	}
	twice := 0
	for n := range 100_000 {
		digits := [5]int{n / 10_000, n / 1000 % 10, n / 100 % 10, n / 10 % 10, n % 10}
		first, second := 0, 0
		for i, d := range digits {
			first += d * (i + 1)
			second += d * (i + 3)
		}
		if first%11 != 10 || second%11 != 10 {
			continue
		}
		twice++
		code := []byte{}
		for _, d := range digits {
			code = append(code, byte('0'+d))
		}
		if !ValidESR(string(code) + "0") {
			t.Fatalf("%s leaves 10 twice: its check digit is 0", code)
		}
	}
	if twice == 0 {
		t.Error("no code leaves 10 twice: the test tests nothing")
	}
}
