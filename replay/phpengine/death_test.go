package phpengine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/phpengine"
)

// names are those of pages.
func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("p%d", i))
	}
	return all
}

// killPHP kills the child that works.
func (s *site) killPHP(t *testing.T) {
	for _, pid := range s.engine.Pids() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
}

// ofOthers are the connections to the site's database but the one that asks.
const ofOthers = " FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"

// cut ends all connections to the site's database but the test's own.
func (s *site) cut(t *testing.T) {
	var ids []int64
	if err := s.db.Select(&ids, "SELECT id"+ofOthers); err != nil {
		t.Error(err)
	}
	for _, id := range ids {
		_, _ = s.db.Exec(fmt.Sprintf("KILL %d", id)) // may be gone
	}
}

// Whatever goes wrong at whichever instant, each request is tracked once.
func TestTroubleAtEveryPoint(t *testing.T) {
	troubles := map[string]func(t *testing.T, s *site){
		"PHP killed":      func(t *testing.T, s *site) { s.killPHP(t) },
		"connections cut": func(t *testing.T, s *site) { s.cut(t) },
		"lock stolen": func(t *testing.T, s *site) {
			if _, err := s.backend.Delete(context.Background(), lock.Key(0)); err != nil {
				t.Error(err)
			}
		},
	}
	for _, inDatabase := range []bool{false, true} {
		for name, trouble := range troubles {
			t.Run(fmt.Sprintf("%s, queue in database %v", name, inDatabase), func(t *testing.T) {
				s := newSite(t, testserver.MariaDB(t), inDatabase)
				o := s.options(t)
				o.BatchSize = 2
				var want []string
				for i, point := range replay.Points() {
					for nth := range 2 {
						sets := pages(6)
						for k := range sets {
							sets[k][0] = fmt.Sprintf("%s%d.%d", sets[k][0], i, nth)
							want = append(want, sets[k][0])
						}
						s.push(t, sets...)
						passed := 0
						o.Fault = func(p replay.Point) {
							if p == point {
								if passed++; passed == nth+1 {
									trouble(t, s)
								}
							}
						}
						if _, err := replay.Run(t.Context(), nil, o); err != nil && name != "lock stolen" {
							t.Errorf("%s: %v", point, err)
						}
						o.Fault = nil
						s.run(t, o)
					}
				}
				same(t, s.tracked(t), want...)
				same(t, s.letters(t))
			})
		}
	}
}

// A COMMIT whose answer does not come, because PHP died right after it was sent, is not made twice, and not left out.
func TestUnansweredCommit(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 20 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t), false)
			s.push(t, pages(20)...)
			o := s.options(t)
			o.BatchSize = 2
			newEngine := o.NewEngine
			o.NewEngine = func() replay.Engine { return &killer{Engine: newEngine(), site: s, after: after} }
			s.run(t, o)
			same(t, s.tracked(t), names(20)...)
		})
	}
}

// killer kills the child at every second commit.
type killer struct {
	replay.Engine
	site    *site
	after   time.Duration
	commits int
}

func (k *killer) Begin(ctx context.Context) (replay.Transaction, error) {
	tx, err := k.Engine.Begin(ctx)
	return &killedTransaction{tx, k}, err
}

type killedTransaction struct {
	replay.Transaction
	k *killer
}

func (tx *killedTransaction) Commit(ctx context.Context) error {
	if tx.k.commits++; tx.k.commits%2 == 0 {
		return tx.Transaction.Commit(ctx)
	}
	pids := tx.k.site.engine.Pids()
	timer := time.AfterFunc(tx.k.after, func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	defer timer.Stop()
	return tx.Transaction.Commit(ctx)
}

// A server that is restarted in the middle is waited for.
func TestDatabaseRestarts(t *testing.T) {
	maria := testserver.MariaDB(t, testserver.Private(), testserver.Durable())
	s := newSite(t, maria, false)
	s.push(t, pages(20)...)
	o := s.options(t)
	o.BatchSize, o.Patience = 2, testserver.Patience
	for _, point := range []replay.Point{replay.AfterRead, replay.AfterWrite, replay.BeforeCommit, replay.AfterCommit} {
		passed := 0
		o.MaxBatches = 4
		o.Fault = func(p replay.Point) {
			if p == point {
				if passed++; passed == 2 {
					maria.Kill(t)
					maria.Start(t)
				}
			}
		}
		if _, err := replay.Run(t.Context(), nil, o); err != nil {
			t.Fatalf("%s: %v\n%s", point, err, s.log.String())
		}
	}
	o.Fault, o.MaxBatches = nil, 0
	s.run(t, o)
	same(t, s.tracked(t), names(20)...)
}

// A plugin that fails with every request says nothing about any of them: the queue is left as it is.
func TestBrokenPluginLeavesTheQueue(t *testing.T) {
	for _, deed := range []string{"exit", "error", "signal"} {
		t.Run(deed, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t), false)
			for i := range 4 {
				s.push(t, []string{fmt.Sprintf("p%d %s", i, deed)})
			}
			_, err := replay.Run(t.Context(), nil, s.options(t))
			if !errors.Is(err, replay.ErrAllRefused) {
				t.Errorf("error %v, want %v", err, replay.ErrAllRefused)
			}
			if n := s.waiting(t); n != 4 {
				t.Errorf("%d entries are left, want all 4", n)
			}
			same(t, s.letters(t))
			same(t, s.tracked(t))
		})
	}
}

// A table that is missing is no request's fault.
func TestMissingTableLeavesTheQueue(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t), false)
	s.push(t, []string{"a"}, []string{"b no table"}, []string{"c"})
	_, err := replay.Run(t.Context(), nil, s.options(t))
	if err == nil || !strings.Contains(err.Error(), "matomo_not_there") {
		t.Errorf("error %v, want one of the missing table", err)
	}
	if n := s.waiting(t); n != 3 {
		t.Errorf("%d entries are left, want all 3", n)
	}
	same(t, s.letters(t))
}

// A request with which a plugin rolls the transaction back is found, and the others are tracked once. What the request
// itself has written since is there: nobody can take it back.
func TestRequestThatRollsBackIsADeadLetter(t *testing.T) {
	for _, inDatabase := range []bool{false, true} {
		t.Run(fmt.Sprintf("queue in database %v", inDatabase), func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t), inDatabase)
			s.push(t, []string{"a"}, []string{"b swallow"}, []string{"c"})
			s.run(t, s.options(t))
			same(t, slices.DeleteFunc(s.tracked(t), func(name string) bool { return name == "b" }), "a", "c")
			got := s.letters(t)
			if len(got) != 1 || !strings.HasPrefix(got[0], "b: ") || !strings.Contains(got[0], "rolled the transaction back") {
				t.Errorf("dead letters %q, want one of b that tells of the rollback", got)
			}
		})
	}
}

// A plugin that rolls back with every request says nothing about any of them.
func TestPluginThatRollsBackLeavesTheQueue(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t), false)
	s.push(t, []string{"a swallow"}, []string{"b swallow"}, []string{"c swallow"})
	_, err := replay.Run(t.Context(), nil, s.options(t))
	if !errors.Is(err, replay.ErrAllRefused) {
		t.Errorf("error %v, want %v", err, replay.ErrAllRefused)
	}
	if n := s.waiting(t); n != 3 {
		t.Errorf("%d entries are left, want all 3", n)
	}
	same(t, s.letters(t))
	var trials int
	err = s.db.Get(&trials, "SELECT COUNT(*) FROM matomo_option WHERE option_name LIKE 'QueuedTracking.trial.%'")
	if err != nil || trials != 0 {
		t.Errorf("%d rows of trials are left (%v), want none", trials, err)
	}
}

// Matomo with record_statistics = 0 leaves its queue as it is.
func TestDisabledTrackingLeavesTheQueue(t *testing.T) {
	maria := testserver.MariaDB(t)
	s := newSite(t, maria, false)
	var name string
	if err := s.db.Get(&name, "SELECT DATABASE()"); err != nil {
		t.Fatal(err)
	}
	s.configure(t, maria, name, "[Tracker]\nrecord_statistics = 0")
	s.push(t, pages(2)...)
	if _, err := replay.Run(t.Context(), nil, s.options(t)); !errors.Is(err, phpchild.ErrDisabled) {
		t.Errorf("error %v, want %v", err, phpchild.ErrDisabled)
	}
	if n := s.waiting(t); n != 2 {
		t.Errorf("%d entries are left, want both", n)
	}
}

// A dry run leaves nothing.
func TestDryRunLeavesNothing(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t), false)
	s.push(t, []string{"a"}, []string{"b exit"}, []string{"c throw"}, []string{"d"})
	o := s.options(t)
	o.DryRun = true
	summary, err := replay.Run(t.Context(), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Tracked != 2 || summary.Failed != 1 {
		t.Errorf("%d tracked, %d failed, want 2 and 1", summary.Tracked, summary.Failed)
	}
	same(t, s.tracked(t))
	same(t, s.letters(t))
	if n := s.waiting(t); n != 4 {
		t.Errorf("%d entries are left, want all 4", n)
	}
}

// A child is replaced when it is old or has had its batches, and ends in an orderly way.
func TestChildrenAreReplaced(t *testing.T) {
	for name, limit := range map[string]func(*phpengine.Options){
		"age":     func(o *phpengine.Options) { o.MaxAge = time.Millisecond },
		"batches": func(o *phpengine.Options) { o.MaxBatches = 3 },
		"memory":  func(o *phpengine.Options) { o.MaxMemory = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t), false)
			s.change = limit
			o := s.options(t)
			o.BatchSize, o.Workers = 2, 1
			engine := o.NewEngine()
			o.NewEngine = func() replay.Engine { return engine }
			n := 0
			testserver.Eventually(t, "a third child", func() bool {
				s.push(t, []string{fmt.Sprintf("p%d", n)}, []string{fmt.Sprintf("p%d", n+1)})
				n += 2
				s.run(t, o)
				return s.engine.Stats().Started >= 3
			})
			same(t, s.tracked(t), names(n)...)
			if err := engine.Close(); err != nil {
				t.Fatal(err)
			}
			stats := s.engine.Stats()
			ends, err := os.ReadFile(filepath.Join(s.dir, "ended"))
			if err != nil || len(ends) != stats.Started || stats.Deaths != 0 {
				t.Errorf("%d of %d children have posted Tracker.end (%v), %d deaths", len(ends), stats.Started, err, stats.Deaths)
			}
			if stats.Processor <= 0 {
				t.Error("no processor time of PHP is told")
			}
		})
	}
}

// parentVariable tells the test binary to be a worker that is killed.
const parentVariable = "QUEUEDTRACKING_PHPENGINE_SITE"

// A child ends with its parent, even if that is killed in the middle of a request.
func TestChildDiesWithItsParent(t *testing.T) {
	if dir := os.Getenv(parentVariable); dir != "" {
		child, err := phpchild.Start(context.Background(), phpchild.Options{Dir: dir, Binary: testserver.PHP(t)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := child.Begin(context.Background(), ""); err != nil {
			t.Fatal(err)
		}
		entry, err := queue.Encode(set("a loop"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("child %d\n", child.Pid())
		_, _, err = child.Track(context.Background(), []phpchild.Set{{Element: entry}})
		t.Fatal(err)
	}
	s := newSite(t, testserver.MariaDB(t), false)
	cmd := exec.Command(os.Args[0], "-test.run", "TestChildDiesWithItsParent")
	cmd.Env = append(os.Environ(), parentVariable+"="+s.dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(out, "child %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	testserver.EventuallyWriting(t, s.db, 1)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	testserver.Eventually(t, "the child is gone", func() bool { return syscall.Kill(pid, 0) != nil })
	testserver.Eventually(t, "its transaction is gone", func() bool {
		var n int
		err := s.db.Get(&n, "SELECT COUNT(*)"+ofOthers)
		return err == nil && n == 0
	})
	same(t, s.tracked(t))
}
