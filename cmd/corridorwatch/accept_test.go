package main

import (
	"strings"
	"testing"

	"corridorwatch/internal/kafkatest"
)

// TestAccept runs the program's own acceptance for one corridor and one day: what the views say is what the simulated world did, and
// duplicates and another order of arrival change nothing. 'make accept' runs it for all corridors and longer.
func TestAccept(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	for name, more := range map[string][]string{
		"middle-btk": {"--days", "2", "--corridors", "middle-btk"},
		"feeds":      {"--days", "3", "--corridors", "northern", "--containers", "--feeds", "KZ=reports,PL=statuses", "--trains", "0.5"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := p.command(append([]string{"accept"}, more...)...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "== equal: all") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestAcceptOnApacheKafka is the same with Apache Kafka in the place of the embedded broker.
func TestAcceptOnApacheKafka(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.env = append(p.env, envPrefix+"BROKERS="+strings.Join(kafkatest.Start(t, 1).Brokers, ","))
	out, err := p.command("accept", "--days", "1", "--corridors", "khorgos-aktau", "--containers").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "== equal: all") {
		t.Errorf("%v\n%s", err, out)
	}
}
