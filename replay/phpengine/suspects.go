package phpengine

import (
	"crypto/sha256"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
)

const (
	// enoughDeaths with the same request at work show that it is to blame: one may be somebody's kill.
	enoughDeaths = 2
	// suspicion ends after a while: perhaps the plugin has been mended since.
	suspicion = 5 * time.Minute
	// maxSuspects bounds the memory.
	maxSuspects = 1000
)

// suspects are requests with which children have died. They are known by their entry, not by their place in a task:
// when a worker has lost its lock meanwhile, they come back in another one.
type suspects struct {
	deaths map[suspect]record
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

// note counts a death.
func (s *suspects) note(who suspect, death *phpchild.DeathError) record {
	if len(s.deaths) >= maxSuspects {
		clear(s.deaths)
	}
	if s.deaths == nil {
		s.deaths = make(map[suspect]record)
	}
	r := s.deaths[who]
	if time.Since(r.last) > suspicion {
		r = record{}
	}
	s.deaths[who] = record{r.count + 1, time.Now(), death}
	return s.deaths[who]
}

// convicted gives the error of a request that is known to end children.
func (s *suspects) convicted(who suspect) error {
	if r := s.deaths[who]; r.count >= enoughDeaths && time.Since(r.last) <= suspicion {
		return r.err
	}
	return nil
}
