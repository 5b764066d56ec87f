package phpchild

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// placeFile makes a file in memory.
func placeFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("queuedtracking", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), "place"), nil
}
