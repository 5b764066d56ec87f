package testserver

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const folderPattern = "queuedtracking-test-"

// folders holds the one folder of this test binary in the system's temporary directory. Its lock file is locked as long
// as the binary lives, so that others can tell a folder in use from one that a killed binary left.
var folders struct {
	sync.Mutex
	root string
	lock *os.File
}

// newFolder makes an empty folder for one server. Its path is short: unix socket names end at 107 bytes.
func newFolder(kind string) (string, error) {
	folders.Lock()
	defer folders.Unlock()
	if folders.root == "" {
		removeLeftFolders()
		root, err := os.MkdirTemp("", folderPattern)
		if err != nil {
			return "", err
		}
		if folders.lock, err = lockFolder(root); err != nil {
			return "", err
		}
		folders.root = root
	}
	return os.MkdirTemp(folders.root, kind)
}

func removeFolders() {
	folders.Lock()
	defer folders.Unlock()
	if folders.root == "" {
		return
	}
	_ = os.RemoveAll(folders.root)
	_ = folders.lock.Close()
	folders.root, folders.lock = "", nil
}

// lockFolder takes the lock of a folder; it fails at once when somebody has it.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// removeLeftFolders deletes the folders of binaries that are gone. A young folder may belong to one that has not locked
// it yet.
func removeLeftFolders() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPattern+"*"))
	for _, dir := range left {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if lock, err := lockFolder(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = lock.Close()
		}
	}
}
