// Package enginetest gives tests a real ClickHouse: the embedded engine, in a process of its own, one for all tests of a test binary.
//
//	func TestMain(m *testing.M) { enginetest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		addr := enginetest.Start(t)
//		…
//	}
//
// Tests share the engine, so each should work in a database of its own.
package enginetest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"corridorwatch/internal/embedded/engine"
)

// marker in the environment makes the test binary the engine.
const marker = "CORRIDORWATCH_TEST_ENGINE"

// shared is the engine of this test binary. It is a global because testing gives TestMain no other way to hand something to tests.
var shared struct {
	once   sync.Once
	engine *engine.Engine
	dir    string
	err    error
}

// Main is TestMain for packages that use Start: it runs the tests and ends the engine after them. It does not return.
func Main(m *testing.M) {
	if os.Getenv(marker) != "" {
		os.Exit(serve())
	}
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "end the engine of the tests:", err)
		code = 1
	}
	os.Exit(code)
}

// serve is what the second process does.
func serve() int {
	var cfg engine.ServeConfig
	flags := flag.NewFlagSet("engine", flag.ExitOnError)
	flags.StringVar(&cfg.Lib, "lib", "", "")
	flags.StringVar(&cfg.DataDir, "data", "", "")
	flags.StringVar(&cfg.Listen, "listen", "", "")
	flags.Parse(os.Args[1:])
	if err := engine.Serve(context.Background(), cfg); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return 1
	}
	return 0
}

// Start returns the address (host:port) of the engine's HTTP interface, and starts the engine if no test has done so yet. Without
// the engine on this machine it skips the test, or fails it if CORRIDORWATCH_REQUIRE_ALL=1.
func Start(t testing.TB) (addr string) {
	t.Helper()
	lib, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB"))
	if err != nil && os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	shared.once.Do(func() { shared.engine, shared.dir, shared.err = run(lib) })
	if shared.err != nil {
		t.Fatal("start the engine: ", shared.err)
	}
	return shared.engine.Addr()
}

// Dir is the data directory of the engine Start gives.
func Dir(t testing.TB) string {
	t.Helper()
	Start(t)
	return shared.dir
}

func run(lib string) (*engine.Engine, string, error) {
	dir, err := os.MkdirTemp("", "corridorwatch-engine-*")
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e, err := engine.Start(ctx, Config(lib, dir))
	return e, dir, err
}

// Config is how to start an engine of one's own from a test binary that uses Main, for tests that end or kill it.
func Config(lib, dir string) engine.Config {
	return engine.Config{Exe: []string{os.Args[0]}, Env: []string{marker + "=1"}, Lib: lib, DataDir: dir, Listen: "127.0.0.1:0"}
}

func stop() error {
	if shared.engine == nil {
		return nil
	}
	err := shared.engine.Close()
	if removeErr := os.RemoveAll(shared.dir); err == nil {
		err = removeErr
	}
	return err
}
