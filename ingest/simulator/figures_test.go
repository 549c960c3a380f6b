package simulator

import (
	"math"
	"testing"
)

// TestFiguresWorld: the norms of the fitted sides have the published means, as lognormal distributions have them.
func TestFiguresWorld(t *testing.T) {
	cfg := FiguresWorld(catalogue(t), 1)
	for side, want := range map[string]float64{
		"khorgos CN outbound": 18.7, "dostyk CN inbound": 17.5, "khorgos KZ inbound": 54.4, "keles KZ outbound": 8.9, "keles UZ inbound": 6.2, "farap TM inbound": 3.5,
	} {
		n, ok := cfg.Norms[side]
		s := math.Log(float64(n.P95)/float64(n.Median)) / 1.645
		if mean := n.Median.Hours() * math.Exp(s*s/2); !ok || math.Abs(mean-want) > 0.01 {
			t.Errorf("%s: mean %.2f h, published %.1f", side, mean, want)
		}
	}
	fitted := map[string]bool{}
	for _, f := range Figures() {
		if f.Fitted && f.Measure[:4] == "TFI1" {
			if fitted[f.Measure] {
				t.Errorf("%s is fitted to two years", f.Measure)
			}
			fitted[f.Measure] = true
		}
	}
	cfg.Duration /= 10
	if _, err := New(cfg); err != nil {
		t.Error(err)
	}
}
