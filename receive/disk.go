package receive

import (
	"os"
	"path/filepath"
)

// disk is how a spool changes files. A power cut loses what was not synced: the content of a file, and the names of
// files in a folder.
type disk struct {
	write func(f *os.File, b []byte) (int, error)
	sync  func(f *os.File) error // of a file or a folder
}

var realDisk = disk{write: (*os.File).Write, sync: (*os.File).Sync}

// append returns when the bytes are on disk.
func (d disk) append(f *os.File, b []byte) error {
	if _, err := d.write(f, b); err != nil {
		return err
	}
	return d.sync(f)
}

func (d disk) syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return d.sync(f)
}

// replaceFile writes a file anew: after a crash there is the old one or the new one.
func (d disk) replaceFile(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.append(f, []byte(text)); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}
