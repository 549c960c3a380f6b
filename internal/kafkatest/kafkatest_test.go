package kafkatest_test

import (
	"testing"

	"corridorwatch/internal/kafkatest"
)

// A node that was killed comes back on its data.
func TestRestart(t *testing.T) {
	c := kafkatest.Start(t, 1)
	c.Nodes[0].Kill()
	c.Nodes[0].Restart()
}
