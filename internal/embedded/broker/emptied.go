package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// refuseEmptied looks at the directory as the last broker left it:
//
//	partitions/<topic>-<partition>/<base offset>.dat   record batches (a segment)
//	partitions/<topic>-<partition>/<base offset>.idx
//	partitions/<topic>-<partition>/snapshot.json       written at an orderly end
//
// A partition whose snapshot tells of records (high_watermark above 0) but that has no segment with bytes in it would begin again at
// offset 0, and records written then would lie below what readers have committed and never be read. It is an error, not a repair,
// because only a person knows whether the segments are in a backup.
func refuseEmptied(dir string) error {
	partitions, err := os.ReadDir(filepath.Join(dir, "partitions"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the partitions of the embedded broker: %w", err)
	}
	for _, p := range partitions {
		path := filepath.Join(dir, "partitions", p.Name())
		end, err := endOffset(path)
		if err != nil {
			return err
		}
		has, err := hasSegment(path)
		if err != nil {
			return err
		}
		if end > 0 && !has {
			return fmt.Errorf("partition %s held records up to offset %d, but no segment of them is left in %s; it would begin again at 0, below what its readers have seen: restore the directory, or begin with an empty one", p.Name(), end, path)
		}
	}
	return nil
}

// endOffset is the high watermark at the last orderly end, or 0 if there was none.
func endOffset(partition string) (int64, error) {
	raw, err := os.ReadFile(filepath.Join(partition, "snapshot.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the snapshot of a partition: %w", err)
	}
	var snapshot struct {
		HighWatermark int64 `json:"high_watermark"`
	}
	if err := json.Unmarshal(raw, &snapshot); err != nil {
		return 0, fmt.Errorf("read the snapshot in %s: %w", partition, err)
	}
	return snapshot.HighWatermark, nil
}

// hasSegment tells whether any segment of the partition has bytes in it.
func hasSegment(partition string) (bool, error) {
	files, err := os.ReadDir(partition)
	if err != nil {
		return false, fmt.Errorf("look for segments: %w", err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".dat") {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return false, fmt.Errorf("look for segments: %w", err)
		}
		if info.Size() > 0 {
			return true, nil
		}
	}
	return false, nil
}
