// Package alertmanagertest runs a real Prometheus Alertmanager, Debian's package, for tests.
package alertmanagertest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Start starts one that sends everything at once to hook, each alert by itself, and returns its address. It ends with the test. Where
// it is not installed the test is skipped, or fails with CORRIDORWATCH_REQUIRE_ALL=1.
func Start(t *testing.T, hook string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		const missing = "prometheus-alertmanager is missing: apt-get install prometheus-alertmanager"
		if os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	dir := t.TempDir()
	config := fmt.Sprintf("route: {receiver: hook, group_by: ['...'], group_wait: 10ms, group_interval: 100ms, repeat_interval: 1h}\n"+
		"receivers: [{name: hook, webhook_configs: [{url: %q, send_resolved: true}]}]\n", hook)
	if err := os.WriteFile(filepath.Join(dir, "am.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var said strings.Builder
	cmd := exec.CommandContext(ctx, program, "--config.file="+filepath.Join(dir, "am.yml"), "--storage.path="+dir, "--web.listen-address="+address,
		"--cluster.listen-address=")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	for limit := time.After(time.Minute); ; {
		if res, err := http.Get("http://" + address + "/-/ready"); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		select {
		case <-ended:
			t.Fatalf("Alertmanager ended:\n%s", said.String())
		case <-limit:
			t.Fatal("Alertmanager is not ready after a minute")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
