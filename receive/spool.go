package receive

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

const (
	segmentSuffix = ".spool"
	segmentBytes  = 16 << 20 // from which on a new segment is begun
)

// errSpoolFull is the error of a record that the spool's limit has no room for.
var errSpoolFull = errors.New("spool is full")

// Spool keeps groups of entries on disk while the queue's server is away: records appended to segment files, each on
// disk (fsync) when Append returns. Records leave in the order in which they came. It belongs to one process, which a
// lock on the directory ensures.
type Spool struct {
	dir   string
	limit int64
	log   *slog.Logger
	owner string
	lock  *os.File

	// filled holds a token when records may have come.
	filled chan struct{}

	mu       sync.Mutex
	segments []segment // oldest first; the last one is written when active is open
	active   *os.File
	reading  *os.File // the first segment
	position int64    // of the first record in it
	bytes    int64    // of all segments
	waiting  map[string]int
	elements int64 // in the records
	sequence uint64
	disk     disk
}

type segment struct {
	path string
	size int64
}

func (s *Spool) count(r record, sign int) {
	s.waiting[r.List] += sign
	if s.waiting[r.List] == 0 {
		delete(s.waiting, r.List)
	}
	s.elements += int64(sign * len(r.Elements))
}

// Owner names the spool among all those whose groups are in the same queues.
func (s *Spool) Owner() string { return s.owner }

// Waiting tells how many entries, in how many bytes on disk, wait for the queue.
func (s *Spool) Waiting() (entries, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.elements, s.bytes
}

// waits is the number of a list's records that wait.
func (s *Spool) waits(list string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting[list]
}

func (s *Spool) nextSequence() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence++
	return s.sequence
}

// Append returns when the record is on disk. After an error it is not in the spool.
func (s *Spool) Append(r record) error {
	b := r.encode()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+int64(len(b)) > s.limit || len(b) > maxRecord {
		return errSpoolFull
	}
	if err := s.activate(); err != nil {
		return err
	}
	last := &s.segments[len(s.segments)-1]
	if err := s.disk.append(s.active, b); err != nil {
		return errors.Join(err, s.abandon(last))
	}
	last.size += int64(len(b))
	s.bytes += int64(len(b))
	s.count(r, 1)
	s.signal()
	return nil
}

// abandon takes back what a failed write has left of a record. When even that fails the segment gets no further
// records: recovery cuts its end off.
func (s *Spool) abandon(last *segment) error {
	err := s.active.Truncate(last.size)
	if err == nil {
		_, err = s.active.Seek(last.size, io.SeekStart)
	}
	if err == nil && last.size > 0 {
		return nil
	}
	_ = s.active.Close()
	s.active = nil
	if last.size == 0 {
		err = errors.Join(err, os.Remove(last.path))
		s.segments = s.segments[:len(s.segments)-1]
	}
	return err
}

// activate makes sure that the last segment can be written.
func (s *Spool) activate() error {
	if s.active != nil && s.segments[len(s.segments)-1].size < segmentBytes {
		return nil
	}
	if s.active != nil {
		_ = s.active.Close() // each record is synced
		s.active = nil
	}
	path := filepath.Join(s.dir, fmt.Sprintf("%020d%s", s.sequence, segmentSuffix))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := s.disk.syncDir(s.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	s.active = f
	s.segments = append(s.segments, segment{path: path})
	return nil
}

func (s *Spool) signal() {
	select {
	case s.filled <- struct{}{}:
	default:
	}
}

// first reads the oldest record; ok is false when there is none.
func (s *Spool) first() (r record, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 || s.position >= s.segments[0].size {
		return r, false, nil
	}
	if s.reading == nil {
		if s.reading, err = os.Open(s.segments[0].path); err != nil {
			return r, false, err
		}
	}
	r, _, err = readRecord(io.NewSectionReader(s.reading, s.position, s.segments[0].size-s.position))
	return r, err == nil, err
}

// removeFirst removes the record that first returned.
func (s *Spool) removeFirst(r record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.position += int64(len(r.encode()))
	s.count(r, -1)
	if s.position < s.segments[0].size {
		return nil
	}
	done := s.segments[0]
	if len(s.segments) == 1 && s.active != nil {
		_ = s.active.Close() // each record is synced
		s.active = nil
	}
	_ = s.reading.Close()
	s.reading, s.position = nil, 0
	s.segments = s.segments[1:]
	s.bytes -= done.size
	if err := os.Remove(done.path); err != nil {
		return err
	}
	return s.disk.syncDir(s.dir)
}

// Close closes the files. What waits stays on disk for the next process.
func (s *Spool) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range []*os.File{s.active, s.reading, s.lock} {
		if f != nil {
			_ = f.Close()
		}
	}
	s.active, s.reading, s.lock = nil, nil, nil
}
