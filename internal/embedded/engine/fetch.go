package engine

import (
	"context"
	_ "embed" // the lock file is part of the program
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Version is the version of the engine this program is written for and tested with; its ClickHouse calls itself 26.7.2.
const Version = "26.7.3-stable.1"

// The lock file holds the checksum (sha512) of the package, which npm verifies. It names no registry, so that the one that is
// configured for npm on this machine is asked.
var (
	//go:embed package.json
	packageJSON []byte
	//go:embed package-lock.json
	packageLock []byte
)

// libraryPath is where the library lies below the directory npm filled.
var libraryPath = filepath.Join("node_modules", "@chdb", "lib-linux-x64-gnu", "libchdb.so")

// CacheDir is where Fetch puts the engine and Locate looks for it: below the user's cache directory, one directory a version.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w", err)
	}
	return filepath.Join(dir, "corridorwatch", "chdb", Version), nil
}

// Locate finds libchdb.so: at ownPath (the file, or a directory it is in) if that is not empty, else in CacheDir. The error says how
// to get it.
func Locate(ownPath string) (string, error) {
	if ownPath != "" {
		return locateOwn(ownPath)
	}
	dir, err := CacheDir()
	if err != nil {
		return "", err
	}
	lib := filepath.Join(dir, libraryPath)
	if _, err := os.Stat(lib); err != nil {
		return "", fmt.Errorf("the ClickHouse engine is not on this machine (no %s); get it once with 'corridorwatch engine fetch' (178 MB from npm), or set CORRIDORWATCH_CHDB_LIB=/path/libchdb.so if you have it: %w", lib, err)
	}
	return lib, nil
}

func locateOwn(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, "libchdb.so")
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("no ClickHouse engine at %s (CORRIDORWATCH_CHDB_LIB): %w", path, err)
	}
	return path, nil
}

// Fetch installs the engine into dir with npm, which checks the package against the checksum in this program, and tells progress how
// it goes. The directory appears whole or not at all; if the engine is there already, Fetch does nothing.
func Fetch(ctx context.Context, dir string, progress io.Writer) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("the embedded ClickHouse engine exists for linux/amd64 only, and this is %s/%s; use a ClickHouse server instead", runtime.GOOS, runtime.GOARCH)
	}
	if info, err := os.Stat(filepath.Join(dir, libraryPath)); err == nil {
		fmt.Fprintf(progress, "ClickHouse engine %s is there: %s (%.0f MB)\n", Version, dir, megabytes(info.Size()))
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("cache directory of the engine: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".fetch-*")
	if err != nil {
		return fmt.Errorf("directory to download the engine to: %w", err)
	}
	began := time.Now()
	fmt.Fprintf(progress, "Downloading the ClickHouse engine %s from npm (178 MB, 566 MB on disk) …\n", Version)
	err = install(ctx, temp)
	if err == nil {
		err = move(temp, dir)
	}
	if err := errors.Join(err, os.RemoveAll(temp)); err != nil {
		return fmt.Errorf("fetch the ClickHouse engine: %w", err)
	}
	info, err := os.Stat(filepath.Join(dir, libraryPath))
	if err != nil {
		return fmt.Errorf("npm succeeded, but the engine is not where it should be: %w", err)
	}
	fmt.Fprintf(progress, "ClickHouse engine %s: %.0f MB in %.1f s, checksum verified, in %s\n", Version, megabytes(info.Size()), time.Since(began).Seconds(), dir)
	return nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

// install runs npm in dir. Scripts of packages are not run.
func install(ctx context.Context, dir string) error {
	for name, content := range map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	// npm does the work in a child of its own: interrupting it ends both.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("npm is not installed; install Node.js, or get @chdb/lib-linux-x64-gnu %s elsewhere and set CORRIDORWATCH_CHDB_LIB=/path/libchdb.so: %w", Version, err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("npm ci: %w", context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// move puts what was installed in its place. If someone else was faster, theirs is as good: it has the same checksum.
func move(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
