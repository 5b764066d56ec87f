//go:build unix

package phpchild

import (
	"os"
	"syscall"
)

// isOwnFolder reports whether a folder, no link to one, is this user's alone.
func isOwnFolder(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.IsDir() && int(owner.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}
