package phpengine

import (
	"crypto/sha256"
	"time"
)

const (
	// enough failures with the same request at work show that it is to blame: one may be somebody's kill, or a deadlock.
	enough = 2
	// suspicion ends after a while: perhaps the plugin has been mended since.
	suspicion = 5 * time.Minute
	// maxSuspects bounds the memory.
	maxSuspects = 1000
)

// suspects are requests with which children have died, or transactions have ended. They are known by their entry, not
// by their place in a task: when a worker has lost its lock meanwhile, they come back in another one.
type suspects struct {
	records map[suspect]record
	// vouched says that a request was tracked since the last one was blamed. So a plugin that is broken for all
	// requests does not turn the whole queue into dead letters.
	vouched bool
}

type suspect struct {
	entry   [sha256.Size]byte
	request int
}

type record struct {
	count int
	last  time.Time
	err   error
}

func suspectOf(element []byte, request int) suspect { return suspect{sha256.Sum256(element), request} }

// note counts a failure.
func (s *suspects) note(who suspect, err error) record {
	if len(s.records) >= maxSuspects {
		clear(s.records)
	}
	if s.records == nil {
		s.records = make(map[suspect]record)
	}
	r := s.records[who]
	if time.Since(r.last) > suspicion {
		r = record{}
	}
	s.records[who] = record{r.count + 1, time.Now(), err}
	return s.records[who]
}

// convicted gives the error of a request that is known to be to blame.
func (s *suspects) convicted(who suspect) error {
	if r := s.records[who]; r.count >= enough && time.Since(r.last) <= suspicion {
		return r.err
	}
	return nil
}
