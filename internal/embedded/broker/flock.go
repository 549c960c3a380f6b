package broker

import (
	"errors"
	"os"
	"syscall"
)

// flock takes the exclusive lock of an open file.
func flock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("its lock is held")
	}
	return err
}
