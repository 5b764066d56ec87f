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
	"time"

	"golang.org/x/sys/unix"
)

const (
	ownerFile  = "owner"
	ownerBytes = 8
	// sequenceFile holds a number that no group of an earlier process has reached. Each process reserves as many as it
	// will never need.
	sequenceFile      = "sequence"
	reservedSequences = 1 << 40
)

// OpenSpool opens the spool in a directory, which it makes if need be, with room for limit bytes. A record that was
// being written when its process ended, and was therefore not acknowledged, is cut off.
func OpenSpool(dir string, limit int64, clock func() time.Time, log *slog.Logger) (*Spool, error) {
	return openSpoolOn(realDisk, dir, limit, clock, log)
}

func openSpoolOn(d disk, dir string, limit int64, clock func() time.Time, log *slog.Logger) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{
		dir: dir, limit: limit, log: log, disk: d, filled: make(chan struct{}, 1), waiting: make(map[string]int),
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
	if s.owner, err = s.readOwner(filepath.Join(s.dir, ownerFile)); err != nil {
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
	if err := s.reserve(filepath.Join(s.dir, sequenceFile)); err != nil {
		s.log.Warn("spool: if the clock is set back before the next start, requests may be taken for older ones", "error",
			err)
	}
	return nil
}

// reserve begins behind all groups of earlier processes, also where the clock was set back since: marks of a list must
// only grow, and a spool that is empty remembers no group.
func (s *Spool) reserve(path string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if last, err := strconv.ParseUint(string(text), 10, 64); err == nil {
		s.sequence = max(s.sequence, last)
	}
	return s.disk.replaceFile(path, strconv.FormatUint(s.sequence+reservedSequences, 10))
}

// readOwner reads the name of the spool's owner, which never changes, and makes it the first time.
func (s *Spool) readOwner(path string) (string, error) {
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
	return owner, s.disk.replaceFile(path, owner)
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
	return f.Truncate(size) // not synced: what comes back after a power cut is cut off again
}
