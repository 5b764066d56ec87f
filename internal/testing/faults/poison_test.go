package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// poisoned mixes entries that cannot be tracked into good ones.
type poisoned struct {
	entries []entry
	cured   []entry        // what those that can be cured are when the cause is gone
	reasons map[string]int // dead letters expected, by reason
	refused int            // requests that Matomo refuses as well
}

// poison makes every twentieth entry a bad one.
func poison(t *testing.T, good []entry) *poisoned {
	t.Helper()
	p := &poisoned{reasons: make(map[string]int)}
	for i, e := range good {
		p.entries = append(p.entries, e)
		if i%20 == 0 {
			p.bad(t, i/20)
		}
	}
	return p
}

func (p *poisoned) bad(t *testing.T, n int) {
	stranger := page(n, "stranger")
	switch n % 6 {
	case 0:
		p.undecodable(n, []byte{0x78, 0x9c, 1, 2, 3, byte(n)})
	case 1:
		p.undecodable(n, []byte(`{"requests":"none","env":[],"tokenAuth":false,"time":1}`))
	case 2: // a value of the wrong type is refused by Matomo, too
		wrong := php.NewArray(0)
		wrong.Append(php.String("x"))
		for key, value := range map[string]php.Value{
			"idsite": php.String("2"), "idgoal": php.String("0"), "ec_id": php.String(fmt.Sprint("P", n)),
			"revenue": php.ArrayValue(wrong),
		} {
			stranger.Requests[0].Set(key, value)
		}
		p.entries = append(p.entries, encode(t, stranger))
		p.refused++
	case 3: // the column is too short, for now
		stranger.Requests[0].Set("uid", php.String(strings.Repeat("long", 20)+fmt.Sprint(n)))
		p.curable(t, stranger, letters.BadData)
	case 4:
		stranger.Requests[0].Set("bomb", php.String("1"))
		p.curable(t, stranger, letters.Bug)
	case 5: // one request of a bulk request, its neighbours are good
		bomb := page(n, "bomb").Requests[0]
		bomb.Set("bomb", php.String("1"))
		neighbours := []*php.Array{page(n, "before").Requests[0], page(n, "after").Requests[0]}
		bulk := stranger
		bulk.Requests, bulk.EmptyToken = []*php.Array{neighbours[0], bomb, neighbours[1]}, true
		p.entries = append(p.entries, encode(t, bulk))
		cured := bulk
		cured.Requests = []*php.Array{neighbours[0], neighbours[1], bomb}
		p.cured = append(p.cured, encode(t, cured))
		p.reasons[letters.Bug]++
	}
}

func (p *poisoned) undecodable(n int, bytes []byte) {
	p.entries = append(p.entries, entry{n % queues, bytes})
	p.reasons[letters.Undecodable]++
}

func (p *poisoned) curable(t *testing.T, set queue.RequestSet, reason string) {
	e := encode(t, set)
	p.entries, p.cured = append(p.entries, e), append(p.cured, e)
	p.reasons[reason]++
}

// page is a page view of somebody who comes only once, in a set of its own.
func page(n int, title string) queue.RequestSet {
	params, server := php.NewArray(0), php.NewArray(0)
	for _, pair := range [][2]string{
		{"idsite", "1"},
		{"rec", "1"},
		{"url", "https://garden.example.org/" + title},
		{"action_name", title},
		{"_id", fmt.Sprintf("aaaa%012x", n)},
		{"r", "1"},
	} {
		params.Set(pair[0], php.String(pair[1]))
	}
	server.Set("REMOTE_ADDR", php.String(fmt.Sprintf("172.16.%d.%d", n/250, n%250)))
	server.Set("HTTP_USER_AGENT",
		php.String("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"))
	return queue.RequestSet{
		Requests: []*php.Array{params}, Env: queue.Env{Server: server, Cookie: php.NewArray(0)},
		Time: now.Add(-time.Hour).Unix(),
	}
}

// Every good request is tracked, every bad one is a dead letter once, though workers are killed where letters are
// written; when the cause is gone, a retry tracks what failed, once.
func TestPoison(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			survivePoison(t, kind.newSite)
		})
	}
}

func survivePoison(t *testing.T, newSite func(*testing.T) *site) {
	s := newSite(t)
	good := s.corpus(t, 1500)
	p := poison(t, good)
	s.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(40) DEFAULT NULL")
	s.push(t, p.entries)
	bombs := func(j *job) { j.Bomb = true }
	for _, point := range []replay.Point{replay.AfterWrite, replay.BeforeCommit, replay.AfterCommit, replay.AfterLetters, replay.AfterLetters, replay.AfterRemoval} {
		s.start(t, func(j *job) { j.Bomb, j.Point, j.Nth, j.Signal = true, point, 3, syscall.SIGKILL }).killed()
		s.unlock(t)
	}
	s.start(t, bombs).done()
	if n := s.waiting(t); n != 0 {
		t.Fatalf("%d entries are left", n)
	}
	all := s.letters(t)
	reasons := make(map[string]int)
	for _, l := range all {
		reasons[l.Reason]++
		if l.Error == "" || l.Time == "" {
			t.Errorf("letter without error or time: %+v", l.Letter)
		}
	}
	made.add("poisoned entries", len(all)+p.refused)
	if fmt.Sprint(reasons) != fmt.Sprint(p.reasons) {
		t.Errorf("dead letters %v, want %v", reasons, p.reasons)
	}

	s.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(200) DEFAULT NULL")
	box, ctx := letters.NewBox(s.backend), context.Background()
	for _, l := range all {
		act := box.Retry
		if l.Reason == letters.Undecodable {
			act = box.Delete
		}
		for _, want := range []bool{true, false} { // the second time there is nothing to do
			if done, err := act(ctx, l); err != nil || done != want {
				t.Fatalf("%s: %v, %v, want %v", l.Reason, done, err, want)
			}
		}
	}
	s.drain(t)
	if left := s.letters(t); len(left) > 0 {
		t.Errorf("%d dead letters are left, such as %+v", len(left), left[0].Letter)
	}

	cured := newSite(t)
	cured.push(t, slices.Concat(good, p.cured))
	cured.drain(t)
	equal(t, s.read(t), cured.read(t))
}

// letters are the dead letters of all queues.
func (s *site) letters(t *testing.T) (all []letters.Stored) {
	t.Helper()
	box := letters.NewBox(s.backend)
	for id := range queues {
		err := box.Each(context.Background(), id, func(l letters.Stored) (bool, error) {
			all = append(all, l)
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// A queue with as many dead letters as it may have is left alone, the others go on.
func TestTooManyDeadLettersStopTheQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 40 {
		s.push(t, []entry{{n % 2, []byte(fmt.Sprint("no entry ", n))}})
	}
	s.push(t, corpus(t, 200))
	waiting := s.waiting(t)
	c := s.start(t, func(j *job) { j.MaxLetters, j.Batch = 15, 5 })
	if status := c.wait(); status != exitFailed || !strings.Contains(c.stderr.String(), "too many dead letters") {
		t.Errorf("exit status %d:\n%s", status, c.stderr.String())
	}
	found := len(s.letters(t))
	if found != 30 || s.waiting(t) >= waiting-30 {
		t.Errorf("%d dead letters, %d of %d entries are left", found, s.waiting(t), waiting)
	}
	s.start(t, nil).done()
	if found := len(s.letters(t)); found != 40 || s.waiting(t) != 0 {
		t.Errorf("%d dead letters, %d entries are left", found, s.waiting(t))
	}
}
