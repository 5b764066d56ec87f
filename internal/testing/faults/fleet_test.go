package faults

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// Workers that speak the protocol of the PHP plugin and ours take turns on four queues.
func TestMixedFleet(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			mixFleet(t, kind.newSite(t), int(4000*kind.share)*times(1))
		})
	}
}

func mixFleet(t *testing.T, s *site, requests int) {
	entries := s.corpus(t, requests)
	s.push(t, entries[:len(entries)/3])
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var fleet sync.WaitGroup
	for range 2 {
		p := newPHPWorker(t, s)
		fleet.Go(func() {
			if err := p.run(ctx); err != nil {
				t.Errorf("PHP worker: %v", err)
			}
			made.add("batches of PHP workers beside ours", p.batches)
		})
	}
	ours := 0
	for _, part := range parts(entries[len(entries)/3:], 10) {
		s.push(t, part)
		a := s.start(t, func(j *job) { j.Batch = 7 })
		b := s.start(t, func(j *job) { j.Batch = 15 })
		ours += a.done()["tracked"] + b.done()["tracked"]
	}
	testserver.Eventually(t, "queues are empty", func() bool { return s.waiting(t) == 0 })
	cancel()
	fleet.Wait()
	if held := s.locked(t); len(held) > 0 {
		t.Errorf("locks are left: %v", held)
	}
	if ours == 0 {
		t.Error("our workers got nothing to do")
	}
	s.drain(t)
	equal(t, s.read(t), s.undisturbed(t, requests))
}

// Workers that track natively, workers that have Matomo's PHP track, and the plugin's own take turns on four queues.
// Matomo in miniature writes fewer columns than Matomo does, so what is compared is which pages each visitor saw, in
// their order, and what the visits count.
func TestMixedFleetOfEngines(t *testing.T) {
	t.Parallel()
	for _, kind := range phpKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := kind.newSite(t)
			s.trackWithPHP(t)
			const rounds, visitors, pages = 4, 12, 8
			p := newPHPWorker(t, s)
			tracked := map[string]int{"the plugin's": rounds * visitors * pages}
			for round := range rounds {
				for page := range pages {
					s.push(t, visitsOf(t, visitors, round*pages+page))
				}
				begin := func(isPHP bool, point replay.Point, signal syscall.Signal) *child {
					c := s.start(t, func(j *job) {
						j.PHP, j.Point, j.Signal, j.Batch, j.LockTTL = isPHP, point, signal, 5, time.Minute
					})
					if !c.until("at") {
						t.Fatalf("worker (PHP: %v) has nothing to do, locked are %v", isPHP, s.locked(t))
					}
					return c
				}
				native := begin(false, replay.AfterRead, syscall.SIGSTOP) // it has a queue, and waits
				fleet := map[string]*child{"native": native, "PHP": begin(true, replay.AfterCommit, 0)}
				for id := range queues {
					if err := p.take(id); err != nil {
						t.Fatal(err)
					}
				}
				native.signal(syscall.SIGCONT)
				for engine, c := range fleet {
					n := c.done()["tracked"]
					tracked[engine] += n
					tracked["the plugin's"] -= n
				}
			}
			s.drain(t)
			for engine, n := range tracked {
				if n == 0 {
					t.Errorf("%s workers got nothing to do: %v", engine, tracked)
				}
			}
			s.sawPages(t, visitors, rounds*pages)
		})
	}
}

// visitorOf is the id of a visitor. Its first three digits choose the queue.
func visitorOf(v int) string { return fmt.Sprintf("%03x%013d", v, v) }

// visitsOf are entries of visitors who see a page.
func visitsOf(t *testing.T, visitors, page int) (entries []entry) {
	t.Helper()
	for v := range visitors {
		params, server := php.NewArray(0), php.NewArray(0)
		server.Set("REMOTE_ADDR", php.String(fmt.Sprintf("10.0.0.%d", v+1)))
		for key, value := range map[string]string{
			"idsite": "1", "rec": "1", "_id": visitorOf(v),
			"url": fmt.Sprintf("https://example.org/%d", page), "name": "page",
		} {
			params.Set(key, php.String(value))
		}
		entries = append(entries, encode(t, queue.RequestSet{
			Requests: []*php.Array{params}, Env: queue.Env{Server: server, Cookie: php.NewArray(0)},
			Time: now.Unix() - 1000 + int64(page),
		}))
	}
	return entries
}

// sawPages checks that each visitor saw the pages from the first on, once each and in their order, in one visit.
func (s *site) sawPages(t *testing.T, visitors, pages int) {
	t.Helper()
	var want []string
	for page := range pages {
		want = append(want, strconv.Itoa(page))
	}
	for v := range visitors {
		id := strings.ToUpper(visitorOf(v))
		var got []string
		err := s.db.Select(&got, "SELECT SUBSTRING_INDEX(a.name, '/', -1) FROM matomo_log_link_visit_action AS l "+
			"JOIN matomo_log_action AS a ON a.idaction = l.idaction_url WHERE HEX(l.idvisitor) = ? ORDER BY l.idlink_va", id)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("visitor %s saw\n%v, want\n%v", id, got, want)
		}
		var visits, actions int
		err = s.db.QueryRow("SELECT COUNT(*), SUM(visit_total_actions) FROM matomo_log_visit WHERE HEX(idvisitor) = ?", id).
			Scan(&visits, &actions)
		if err != nil || visits != 1 || actions != pages {
			t.Errorf("visitor %s has %d visits with %d actions (%v), want 1 with %d", id, visits, actions, err, pages)
		}
	}
}

// A worker of ours is killed around its commit, and the next one to take the queue is a PHP worker, which knows no
// checkpoint. Where queue and rows are in one database it needs none.
func TestPHPWorkerTakesAKilledWorkersQueue(t *testing.T) {
	t.Parallel()
	for _, point := range []replay.Point{replay.AfterRemoval, replay.BeforeCommit, replay.AfterCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			const requests = 800
			s := newMySQLSite(t)
			s.push(t, corpus(t, requests))
			s.start(t, func(j *job) { j.Point, j.Nth, j.Signal = point, 3, syscall.SIGKILL }).killed()
			s.unlock(t)
			p := newPHPWorker(t, s)
			for s.waiting(t) > 0 {
				for id := range queues {
					if err := p.take(id); err != nil {
						t.Fatal(err)
					}
				}
			}
			equal(t, s.read(t), undisturbed(t, requests))
		})
	}
}

// A frozen worker of ours finds its queue in the hands of a PHP worker, which knows no checkpoint: it must not commit.
func TestPHPWorkerTakesAFrozenWorkersQueue(t *testing.T) {
	t.Parallel()
	for _, point := range []replay.Point{replay.AfterRead, replay.BeforeBegin, replay.BeforeCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			const requests = 800
			s := newSite(t)
			s.push(t, corpus(t, requests))
			c := s.start(t, func(j *job) { j.Point, j.Signal = point, syscall.SIGSTOP }) // nothing is in flight
			if !c.until("at") {
				t.Fatal("never there")
			}
			testserver.Eventually(t, "lock runs out", func() bool { return len(s.locked(t)) == 0 })
			p := newPHPWorker(t, s)
			for range 3 {
				for id := range queues {
					if err := p.take(id); err != nil {
						t.Fatal(err)
					}
				}
			}
			made.add("workers frozen", 1)
			c.signal(syscall.SIGCONT)
			c.done()
			s.drain(t)
			equal(t, s.read(t), undisturbed(t, requests))
		})
	}
}
