package enginetest_test

import (
	"io"
	"net/http"
	"testing"

	"corridorwatch/internal/embedded/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func TestStart(t *testing.T) {
	addr := enginetest.Start(t)
	resp, err := http.Get("http://" + addr + "/?query=SELECT+version()")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(body); got != "26.7.2.1\n" {
		t.Errorf("version %q, want 26.7.2.1", got)
	}
	if again := enginetest.Start(t); again != addr {
		t.Errorf("the second test got the engine at %s, the first at %s", again, addr)
	}
}
