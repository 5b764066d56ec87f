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
	if entries, _ := s.Waiting(); entries != 4 || s.waits("a") != 2 || s.waits("b") != 1 || s.waits("c") != 0 {
		t.Errorf("%d entries wait in %d records of a, %d of b, %d of c; want 4 in 2, 1, 0", entries, s.waits("a"),
			s.waits("b"), s.waits("c"))
	}
	if got, last := s.nextSequence(), want[2].Sequence; got <= last {
		t.Errorf("sequence %d, want more than %d", got, last)
	}
	if diff := cmp.Diff(want, empty(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if entries, size := s.Waiting(); entries != 0 || size != 0 || s.waits("a") != 0 {
		t.Errorf("%d entries, %d bytes, %d records of a wait; want none", entries, size, s.waits("a"))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(left) > 0 {
		t.Errorf("segments are left: %v", left)
	}
}

// A spool whose clock was set back must not give numbers again that the queue's marks have passed: such groups would
// pass for delivered. What was reserved tells, also of an empty spool; where that was not to be written, as on a full
// disk, the records that wait.
func TestSequenceGrowsWhenTheClockIsSetBack(t *testing.T) {
	for _, reserved := range []bool{true, false} {
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
					t.Errorf("reserved %v, at %d: %d, want more than %d", reserved, now, n, last)
				}
				last = n
			}
			if !reserved {
				if err := s.Append(record{Sequence: last, List: "a"}); err != nil {
					t.Fatal(err)
				}
				if err := os.Remove(filepath.Join(dir, sequenceFile)); err != nil {
					t.Fatal(err)
				}
			}
			s.Close()
		}
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
	if got, want := len(s.segments), 3; got != want {
		t.Errorf("%d segments, want %d", got, want)
	}
	var got []string
	for _, r := range empty(t, s) {
		got = append(got, r.List)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFullSpoolRefusesAndTakesAgain(t *testing.T) {
	r := record{Sequence: 1, List: "a", Elements: [][]byte{make([]byte, 60)}}
	size := int64(len(r.encode()))
	for _, tt := range []struct {
		limit int64
		want  int // records
	}{{0, 0}, {size - 1, 0}, {size, 1}, {2*size - 1, 1}, {2 * size, 2}} {
		s := openSpool(t, t.TempDir(), tt.limit)
		for round := range 2 {
			for i := range tt.want {
				if err := s.Append(r); err != nil {
					t.Errorf("limit %d, round %d, record %d: %v", tt.limit, round, i, err)
				}
			}
			if err := s.Append(r); !errors.Is(err, errSpoolFull) {
				t.Errorf("limit %d, round %d: error %v of one more record, want %v", tt.limit, round, err, errSpoolFull)
			}
			if got := len(empty(t, s)); got != tt.want {
				t.Errorf("limit %d, round %d: %d records, want %d", tt.limit, round, got, tt.want)
			}
		}
	}
}

// TestFullDiskLeavesNoHalfRecord lets writes end in the middle, as ENOSPC does, in the first and in a later record of a
// segment. This process and the next one find the other records.
func TestFullDiskLeavesNoHalfRecord(t *testing.T) {
	full := func(f *os.File, b []byte) (int, error) {
		n, _ := f.Write(b[:len(b)/2])
		return n, syscall.ENOSPC
	}
	for _, restart := range []bool{false, true} {
		dir := t.TempDir()
		s := openSpool(t, dir, 1<<20)
		var want []record
		for i, fails := range []bool{true, false, true, false, true} {
			s.disk = realDisk
			r := group(s, "a", fmt.Sprint(fails))
			if fails {
				s.disk.write = full
			} else {
				want = append(want, r)
			}
			if err := s.Append(r); errors.Is(err, syscall.ENOSPC) != fails {
				t.Errorf("record %d: error %v, want %v: %v", i, err, syscall.ENOSPC, fails)
			}
		}
		if restart {
			s.Close()
			s = openSpool(t, dir, 1<<20)
		}
		if diff := cmp.Diff(want, empty(t, s)); diff != "" {
			t.Errorf("restart %v (-want +got):\n%s", restart, diff)
		}
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
			t.Fatalf("record %v, error %v; want true, none", ok, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
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
