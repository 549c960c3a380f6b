package installation

import (
	"strings"
	"testing"

	"corridorwatch/schemas"
)

// TestCheck: an installation that was created for other stages is refused, with what to do.
func TestCheck(t *testing.T) {
	if err := (Choice{Stages: stages()}).Check("p"); err != nil {
		t.Errorf("of the same stages: %v", err)
	}
	for _, have := range [][]string{nil, {"intake", "dwell", "border", "delay", "more"}} {
		err := Choice{Stages: have}.Check("p")
		if err == nil || !strings.Contains(err.Error(), "corridorwatch replay --from tables --to NEW --switch") || !strings.Contains(err.Error(), `"p"`) {
			t.Errorf("of the stages %v: %v", have, err)
		}
	}
}

// TestChannelsHoldAlerts: what a channel has not delivered is not deleted, nor anything before each has said how far it is.
func TestChannelsHoldAlerts(t *testing.T) {
	r := NewRetention(nil, "t", "ops", "partner")
	deletable := func() int64 { return r.deletable()[place{schemas.Alerts, 1}] }
	r.SinkStored(schemas.Alerts, 1, 90)
	r.ChannelNeeds("ops", 1, 70)
	if got := deletable(); got != 0 {
		t.Errorf("up to %d is deleted before channel partner has said what it needs", got)
	}
	for _, step := range []struct {
		channel string
		needs   int64
		want    int64
	}{{"partner", 50, 50}, {"partner", 95, 70}, {"ops", 95, 90}} {
		r.ChannelNeeds(step.channel, 1, step.needs)
		if got := deletable(); got != step.want {
			t.Errorf("%s needs %d on: up to %d is deleted, want %d", step.channel, step.needs, got, step.want)
		}
	}
}
