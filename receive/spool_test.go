package receive

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func openSpool(t *testing.T, dir string, limit int64) *Spool {
	t.Helper()
	s, err := OpenSpool(dir, limit, time.Now, discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func group(s *Spool, list string, elements ...string) record {
	r := record{Sequence: s.nextSequence(), List: list}
	for _, e := range elements {
		r.Elements = append(r.Elements, []byte(e))
	}
	return r
}

// empty takes everything out of a spool.
func empty(t *testing.T, s *Spool) (records []record) {
	t.Helper()
	for {
		r, ok, err := s.first()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return records
		}
		records = append(records, r)
		if err := s.removeFirst(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSpoolKeepsOrderOverARestart(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, dir, 1<<20)
	want := []record{group(s, "a", "1", "2"), group(s, "b", ""), group(s, "a", "3")}
	for _, r := range want {
		if err := s.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	owner := s.Owner()
	s.Close()
	s = openSpool(t, dir, 1<<20)
	if s.Owner() != owner {
		t.Errorf("owner %s became %s", owner, s.Owner())
	}
	if entries, _ := s.Waiting(); entries != 4 || s.waits("a") == 0 || s.waits("c") > 0 {
		t.Errorf("%d entries wait, a %d, c %d", entries, s.waits("a"), s.waits("c"))
	}
	if s.nextSequence() <= want[2].Sequence {
		t.Error("sequence went back")
	}
	if diff := cmp.Diff(want, empty(t, s)); diff != "" {
		t.Error(diff)
	}
	if entries, size := s.Waiting(); entries != 0 || size != 0 || s.waits("a") > 0 {
		t.Errorf("empty spool holds %d entries, %d bytes", entries, size)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(left) > 0 {
		t.Errorf("segments are left: %v", left)
	}
}

// An empty spool whose clock was set back must not give numbers again that the queue's marks have passed: such groups
// would pass for delivered.
func TestSequenceGrowsWhenTheClockIsSetBack(t *testing.T) {
	dir := t.TempDir()
	var last uint64
	for _, now := range []int64{1_800_000_000, 0, 1_700_000_000} {
		s, err := OpenSpool(dir, 1<<20, func() time.Time { return time.Unix(now, 0) }, discard())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			n := s.nextSequence()
			if n <= last {
				t.Errorf("at %d: %d after %d", now, n, last)
			}
			last = n
		}
		s.Close()
	}
}

func TestSpoolGoesOverSegments(t *testing.T) {
	s := openSpool(t, t.TempDir(), 1<<30)
	large := string(make([]byte, segmentBytes/2+1))
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprint(i))
		if err := s.Append(group(s, want[i], large)); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.segments) != 3 {
		t.Errorf("%d segments", len(s.segments))
	}
	var got []string
	for _, r := range empty(t, s) {
		got = append(got, r.List)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFullSpoolRefusesAndTakesAgain(t *testing.T) {
	s := openSpool(t, t.TempDir(), 100)
	r := group(s, "a", string(make([]byte, 60)))
	if err := s.Append(r); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(r); !errors.Is(err, errSpoolFull) {
		t.Errorf("error %v", err)
	}
	empty(t, s)
	if err := s.Append(r); err != nil {
		t.Error(err)
	}
}

// TestFullDiskLeavesNoHalfRecord lets writes end in the middle, as ENOSPC does, in the first and in a later record of a
// segment.
func TestFullDiskLeavesNoHalfRecord(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, dir, 1<<20)
	full := func(f *os.File, b []byte) (int, error) {
		n, _ := f.Write(b[:len(b)/2])
		return n, syscall.ENOSPC
	}
	var want []record
	for _, fails := range []bool{true, false, true, false, true} {
		s.disk = realDisk
		r := group(s, "a", fmt.Sprint(fails))
		if fails {
			s.disk.write = full
		} else {
			want = append(want, r)
		}
		if err := s.Append(r); errors.Is(err, syscall.ENOSPC) != fails {
			t.Errorf("error %v", err)
		}
	}
	s.Close()
	s = openSpool(t, dir, 1<<20)
	if diff := cmp.Diff(want, empty(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestSpoolCutsATornRecordOff(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, dir, 1<<20)
	want := group(s, "a", "1")
	if err := s.Append(want); err != nil {
		t.Fatal(err)
	}
	path := s.segments[0].path
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, rest := range [][]byte{whole[:len(whole)-1], whole[:3], bytes.Repeat([]byte{0xff}, 40), append(bytes.Clone(whole[:8]), make([]byte, len(whole))...)} {
		if err := os.WriteFile(path, append(bytes.Clone(whole), rest...), 0o600); err != nil {
			t.Fatal(err)
		}
		s = openSpool(t, dir, 1<<20)
		got, ok, err := s.first()
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if info, _ := os.Stat(path); info.Size() != int64(len(whole)) {
			t.Errorf("segment has %d bytes, want %d", info.Size(), len(whole))
		}
		s.Close()
	}
}

func TestSpoolBelongsToOneProcess(t *testing.T) {
	dir := t.TempDir()
	openSpool(t, dir, 1)
	if _, err := OpenSpool(dir, 1, time.Now, discard()); err == nil {
		t.Error("opened twice")
	}
}

func FuzzReadRecord(f *testing.F) {
	f.Add(record{Sequence: 1, List: "a", Elements: [][]byte{{1}, {}}}.encode())
	f.Add([]byte{0, 0, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, size, err := readRecord(bytes.NewReader(b)); err == nil && size > int64(len(b)) {
			t.Errorf("%x reads as %v of %d bytes", b, r, size)
		}
	})
}
