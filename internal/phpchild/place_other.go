//go:build !linux

package phpchild

import "os"

// placeFile makes a file without a name.
func placeFile() (*os.File, error) {
	f, err := os.CreateTemp("", "queuedtracking")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}
