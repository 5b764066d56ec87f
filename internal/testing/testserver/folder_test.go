package testserver

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFoldersOfDeadBinariesAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	old := time.Now().Add(-time.Hour)
	folder := func(name string, age time.Time) string {
		dir := filepath.Join(os.TempDir(), folderPattern+name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		lock, err := lockFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if name == "alive" {
			t.Cleanup(func() { _ = lock.Close() })
		} else if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, age, age); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dead, alive, young := folder("dead", old), folder("alive", old), folder("young", time.Now())
	removeLeftFolders()
	for dir, want := range map[string]bool{dead: false, alive: true, young: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: there = %v, want %v", filepath.Base(dir), err == nil, want)
		}
	}
}
