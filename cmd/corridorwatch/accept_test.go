package main

import (
	"strings"
	"testing"

	"corridorwatch/internal/kafkatest"
	"corridorwatch/internal/longtest"
)

// TestLongAccept runs the program's own acceptance for a corridor with a ferry, for one of whose trains there are no positions in some
// countries, and on Apache Kafka: what the views say is what the simulated world did, and duplicates and another order of arrival change
// nothing. 'make accept' runs it for all corridors and longer.
func TestLongAccept(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	for name, args := range map[string][]string{
		"middle-btk":   {"--days", "2", "--corridors", "middle-btk"},
		"feeds":        {"--days", "4", "--corridors", "northern", "--containers", "--feeds", "KZ=reports,PL=statuses", "--trains", "0.5"},
		"Apache Kafka": {"--days", "2", "--corridors", "khorgos-aktau", "--containers"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t)
			if name == "Apache Kafka" {
				p.env = append(p.env, envPrefix+"BROKERS="+strings.Join(kafkatest.Start(t, 1).Brokers, ","))
			}
			out, err := p.command(append([]string{"accept"}, args...)...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "== equal: all") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
