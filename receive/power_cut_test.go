package receive

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// platter is what of a folder is on disk: what a power cut leaves. Files have their content of when they were synced,
// and the names of when the folder was.
type platter struct {
	content map[uint64]string // by inode
	names   map[string]uint64
}

func inode(t *testing.T, info os.FileInfo) uint64 {
	t.Helper()
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Skip("files have no inodes here")
	}
	return stat.Ino
}

// disk is the real disk, whose syncs the platter sees.
func (p *platter) disk(t *testing.T) disk {
	return disk{write: (*os.File).Write, sync: func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() {
			p.syncNames(t, f.Name())
			return f.Sync()
		}
		b, err := os.ReadFile(f.Name())
		p.content[inode(t, info)] = string(b)
		if err != nil {
			return err
		}
		return f.Sync()
	}}
}

func (p *platter) syncNames(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	content := make(map[uint64]string)
	clear(p.names)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		n := inode(t, info)
		p.names[e.Name()], content[n] = n, p.content[n]
	}
	p.content = content // numbers of removed files are given again
}

// restore makes a folder of what is left.
func (p *platter) restore(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, n := range p.names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(p.content[n]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestPowerCutLosesNothingAcknowledged cuts the power after each step of a spool's life: the next process has the
// records that were acknowledged and not removed, the same owner, and goes on behind the last sequence.
func TestPowerCutLosesNothingAcknowledged(t *testing.T) {
	p := &platter{content: make(map[uint64]string), names: make(map[string]uint64)}
	s, err := openSpoolOn(p.disk(t), t.TempDir(), 1<<30, time.Now, discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	var want []record
	check := func(step string) {
		t.Helper()
		back, err := OpenSpool(p.restore(t), 1<<30, func() time.Time { return time.Unix(0, 0) }, discard())
		if err != nil {
			t.Fatal(err)
		}
		defer back.Close()
		if got := back.Owner(); got != s.Owner() {
			t.Errorf("%s: owner %s, want %s", step, got, s.Owner())
		}
		if got := back.nextSequence(); got <= s.sequence {
			t.Errorf("%s: sequence %d, want one above %d", step, got, s.sequence)
		}
		if diff := cmp.Diff(want, empty(t, back)); diff != "" {
			t.Errorf("%s: records, -want +got:\n%s", step, diff)
		}
	}
	add := func(elements ...string) {
		t.Helper()
		r := group(s, "a", elements...)
		if err := s.Append(r); err != nil {
			t.Fatal(err)
		}
		want = append(want, r)
	}
	check("opened")
	add("1", "2")
	check("first record")
	add("3")
	check("second record of the segment")
	empty(t, s)
	want = nil
	check("all removed")
	add("4")
	check("record of a new segment")
}
