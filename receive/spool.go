package receive

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	segmentSuffix = ".spool"
	segmentBytes  = 16 << 20 // from which on a new segment is begun
	ownerFile     = "owner"
	ownerBytes    = 8
	// sequenceFile holds a number that no group of an earlier process has reached. Each process reserves as many as it will never need.
	sequenceFile      = "sequence"
	reservedSequences = 1 << 40
)

// errSpoolFull is the error of a record that the spool's limit has no room for.
var errSpoolFull = errors.New("spool is full")

// Spool keeps groups of entries on disk while the queue's server is away: records appended to segment files, each on disk (fsync) when
// Append returns. Records leave in the order in which they came. It belongs to one process, which a lock on the directory ensures.
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
	write    func(f *os.File, b []byte) error // writes and syncs; tests put a fault here
}

type segment struct {
	path string
	size int64
}

// OpenSpool opens the spool in a directory, which it makes if need be, with room for limit bytes. A record that was being written when
// its process ended, and was therefore not acknowledged, is cut off.
func OpenSpool(dir string, limit int64, clock func() time.Time, log *slog.Logger) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{
		dir: dir, limit: limit, log: log, filled: make(chan struct{}, 1), waiting: make(map[string]int), write: writeSync,
		sequence: uint64(max(0, clock().UnixNano())),
	}
	if err := s.open(); err != nil {
		s.Close()
		return nil, fmt.Errorf("spool %s: %w", dir, err)
	}
	return s, nil
}

func (s *Spool) open() (err error) {
	if s.lock, err = os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("in use by another process: %w", err)
	}
	if s.owner, err = readOwner(filepath.Join(s.dir, ownerFile)); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "*"+segmentSuffix))
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.recover(name); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	if len(s.segments) > 0 {
		s.signal()
	}
	if err := s.reserve(filepath.Join(s.dir, sequenceFile)); err != nil {
		s.log.Warn("spool: if the clock is set back before the next start, requests may be taken for older ones", "error", err)
	}
	return nil
}

// reserve begins behind all groups of earlier processes, also where the clock was set back since: marks of a list must only grow, and a spool
// that is empty remembers no group.
func (s *Spool) reserve(path string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if last, err := strconv.ParseUint(string(text), 10, 64); err == nil {
		s.sequence = max(s.sequence, last)
	}
	return replaceFile(path, strconv.FormatUint(s.sequence+reservedSequences, 10))
}

// replaceFile writes a file anew: after a crash there is the old one or the new one.
func replaceFile(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := writeSync(f, []byte(text)); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// readOwner reads the name of the spool's owner, which never changes, and makes it the first time.
func readOwner(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(text) == 2*ownerBytes {
		return string(text), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	var random [ownerBytes]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	owner := hex.EncodeToString(random[:])
	return owner, replaceFile(path, owner)
}

// recover counts what a segment holds.
func (s *Spool) recover(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	from := bufio.NewReaderSize(f, 1<<16)
	var size int64
	for {
		r, n, err := readRecord(from)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errDamaged) {
			if err := s.cut(f, size); err != nil {
				return err
			}
			break
		}
		if err != nil {
			return err
		}
		size += n
		s.count(r, 1)
		s.sequence = max(s.sequence, r.Sequence)
	}
	if size == 0 {
		return os.Remove(path)
	}
	s.segments = append(s.segments, segment{path, size})
	s.bytes += size
	return nil
}

// cut removes what follows the last complete record, and keeps it in a file of its own for somebody to look at.
func (s *Spool) cut(f *os.File, size int64) error {
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return err
	}
	rest, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	damaged := strings.TrimSuffix(f.Name(), segmentSuffix) + ".damaged"
	if err := os.WriteFile(damaged, rest, 0o600); err != nil {
		return err
	}
	s.log.Warn("end of a spool segment is no complete record and was put aside", "file", damaged, "bytes", len(rest))
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
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
	if err := s.write(s.active, b); err != nil {
		return errors.Join(err, s.abandon(last))
	}
	last.size += int64(len(b))
	s.bytes += int64(len(b))
	s.count(r, 1)
	s.signal()
	return nil
}

// abandon takes back what a failed write has left of a record. When even that fails the segment gets no further records: recovery cuts
// its end off.
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
	if err := syncDir(s.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	s.active = f
	s.segments = append(s.segments, segment{path: path})
	return nil
}

func writeSync(f *os.File, b []byte) error {
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
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
	return syncDir(s.dir)
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
