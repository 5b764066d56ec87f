package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/letters"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// otherEngine is an engine of its own: it writes what the native one writes, one batch after the other, and does as its
// functions say with what it is to track.
type otherEngine struct {
	native replay.Engine
	// breaks is asked before the requests are tracked: an error ends the attempt.
	breaks func(titles []string) error
	// takesBack is asked for every request: one with an error is left out, and the result says so.
	takesBack func(title string) error
}

func (e *otherEngine) Prepare(ctx context.Context, entries []replay.Entry) (replay.Task, error) {
	task, err := e.native.Prepare(ctx, entries)
	if err != nil {
		return nil, err
	}
	var titles []string
	for _, entry := range entries {
		for _, params := range entry.Set.Requests {
			titles = append(titles, php.ToString(params.Value("action_name")))
		}
	}
	return &otherTask{task, titles}, nil
}

func (e *otherEngine) Begin(ctx context.Context) (replay.Transaction, error) {
	tx, err := e.native.Begin(ctx)
	return &otherTransaction{tx, e}, err
}

func (e *otherEngine) Close() error { return nil }

// otherTask knows the titles of its requests; "" where one is to be left out.
type otherTask struct {
	task   replay.Task
	titles []string
}

func (t *otherTask) Len() int                 { return t.task.Len() }
func (t *otherTask) Prefix(n int) replay.Task { return &otherTask{t.task.Prefix(n), t.titles[:n]} }
func (t *otherTask) Only(i int) replay.Task   { return &otherTask{t.task.Only(i), t.titles[i : i+1]} }
func (t *otherTask) Discard()                 { t.task.Discard() }

func (t *otherTask) Fail(i int, err error) bool {
	t.titles[i] = ""
	return t.task.Fail(i, err)
}

type otherTransaction struct {
	replay.Transaction
	engine *otherEngine
}

func (tx *otherTransaction) Track(ctx context.Context, task replay.Task) (*tracker.Result, error) {
	other := task.(*otherTask)
	if tx.engine.breaks != nil {
		if err := tx.engine.breaks(other.titles); err != nil {
			return nil, err
		}
	}
	if tx.engine.takesBack == nil {
		return tx.Transaction.Track(ctx, other.task)
	}
	total := &tracker.Result{Sets: other.Len()}
	for i, title := range other.titles {
		if err := tx.engine.takesBack(title); title != "" && err != nil {
			total.Failed++
			total.Refusals = append(total.Refusals, tracker.Refusal{Set: i, Err: err, Failed: true})
			continue
		}
		one, err := tx.Transaction.Track(ctx, other.task.Only(i))
		if err != nil {
			return nil, err
		}
		total.Add(*one)
		total.Refusals = append(total.Refusals, one.Refusals...)
		if err := tx.Flush(ctx); err != nil { // the next one sees its rows
			return nil, err
		}
	}
	return total, nil
}

func (tx *otherTransaction) Preview(ctx context.Context, task replay.Task) (*tracker.Result, error) {
	return tx.Transaction.Preview(ctx, task.(*otherTask).task)
}

// other gives every worker of a run another engine than the native one.
func (s *site) other(e *otherEngine) func() replay.Engine {
	return func() replay.Engine {
		own := *e
		own.native = s.assembly.NewEngine()
		return &own
	}
}

// Whatever happens to a batch of another engine, it is tracked once, and in order.
func TestTroubleOfAnotherEngine(t *testing.T) {
	for _, point := range replay.Points() {
		for name, trouble := range map[string]func(t *testing.T, s *site){
			"lock stolen": func(t *testing.T, s *site) {
				if _, err := s.backend.Delete(t.Context(), lock.Key(0)); err != nil {
					t.Error(err)
				}
			},
			"connections cut": func(t *testing.T, s *site) { s.cutConnections(t) },
		} {
			t.Run(string(point)+", "+name, func(t *testing.T) {
				maria := testserver.MariaDB(t)
				if name == "connections cut" {
					maria = testserver.MariaDB(t, testserver.Private())
				}
				s := newSite(t, maria)
				titles := s.pushNumbered(t, 12)
				o := s.options()
				o.BatchSize, o.NewEngine = 2, s.other(&otherEngine{})
				var passed passes
				o.Fault = func(p replay.Point) {
					if p == point && passed.next(p) == 3 {
						trouble(t, s)
					}
				}
				_, err := replay.Run(t.Context(), nil, o)
				o.Fault = nil
				if err != nil {
					t.Logf("ended with %v", err)
				}
				s.run(t, o)
				same(t, s.titles(t), titles...)
				if n := s.waiting(t); n != 0 {
					t.Errorf("%d left, want none", n)
				}
			})
		}
	}
}

// Engines take turns, in this process and beside it: each sees what the other has written, and the visits are those of
// one engine alone.
func TestEnginesTakeTurns(t *testing.T) {
	visits := func(turns bool) string {
		s := newSite(t, testserver.MariaDB(t))
		for i := range 24 {
			one := set(fmt.Sprintf("page %02d", i))
			one.Requests[0].Set("uid", php.String(fmt.Sprint("visitor ", i%3)))
			one.Time = now.Unix() + int64(60*i)
			s.append(t, one)
		}
		engines := []func() replay.Engine{s.engine(s.assembly.NewTracker()), s.other(&otherEngine{})}
		for i := 0; s.waiting(t) > 0; i++ {
			o := s.options()
			o.BatchSize, o.MaxBatches, o.NewEngine = 2, 1+i%3, engines[0]
			if turns {
				o.NewEngine = engines[i%2]
			}
			s.run(t, o)
		}
		var rows []string
		if err := s.db.Select(&rows, `SELECT CONCAT_WS(' ', user_id, visit_total_actions, visitor_returning,
			visitor_count_visits, visit_total_time, visit_first_action_time, visit_last_action_time, visit_total_interactions)
			FROM matomo_log_visit ORDER BY idvisit`); err != nil {
			t.Fatal(err)
		}
		return strings.Join(append(rows, s.titles(t)...), "\n")
	}
	if got, want := visits(true), visits(false); got != want {
		t.Errorf("in turns:\n%s\nwant, as of one engine:\n%s", got, want)
	}
}

// A request that ends the engine is found, by its name or by halves, and becomes a dead letter.
func TestRequestThatEndsTheEngine(t *testing.T) {
	for name, breaks := range map[string]func(titles []string) error{
		"named": func(titles []string) error {
			if i := slices.Index(titles, "bad"); i >= 0 {
				return &replay.GuiltyError{Request: i, Err: errors.New("exit")}
			}
			return nil
		},
		"not named": func(titles []string) error {
			if slices.Contains(titles, "bad") {
				return &replay.BreakdownError{Err: errors.New("signal 9")}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t))
			s.push(t, "a", "b", "bad", "c", "d", "e")
			o := s.options()
			o.NewEngine = s.other(&otherEngine{breaks: breaks})
			summary := s.run(t, o)
			same(t, s.titles(t), "a", "b", "c", "d", "e")
			found := s.letters(t)
			if len(found) != 1 || found[0].Offset != 2 || found[0].Request != 0 || summary.Failed != 1 || s.waiting(t) != 0 {
				t.Errorf("letters %+v, %+v; want one of entry 2", found, summary)
			}
		})
	}
}

// An engine that breaks down whatever it is given says nothing about any request.
func TestEngineThatAlwaysBreaksDownKeepsTheQueue(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	o := s.options()
	o.NewEngine = s.other(&otherEngine{breaks: func(titles []string) error {
		if len(titles) == 0 {
			return nil
		}
		return &replay.BreakdownError{Err: errors.New("signal 9")}
	}})
	_, err := replay.Run(t.Context(), nil, o)
	if !errors.Is(err, replay.ErrAllRefused) || s.waiting(t) != 3 || len(s.letters(t)) != 0 {
		t.Errorf("%v, %d waiting, %d letters; want ErrAllRefused, 3 and none", err, s.waiting(t), len(s.letters(t)))
	}
}

// Nor does one that breaks down when it is given nothing.
func TestEngineThatBreaksDownOverNothingKeepsTheQueue(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	o := s.options()
	o.NewEngine = s.other(&otherEngine{breaks: func([]string) error {
		return &replay.BreakdownError{Err: errors.New("signal 9")}
	}})
	_, err := replay.Run(t.Context(), nil, o)
	_, broke := errors.AsType[*replay.BreakdownError](err)
	if !broke || errors.Is(err, replay.ErrAllRefused) || s.waiting(t) != 3 || len(s.letters(t)) != 0 {
		t.Errorf("%v, %d waiting, %d letters; want nothing but a breakdown, 3 and none", err, s.waiting(t), len(s.letters(t)))
	}
}

// What is surely the fault of a request that was taken back needs no second attempt.
func TestRequestThatIsSurelyToBlameIsTakenBackOnce(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "bad")
	asked := 0
	o := s.options()
	o.NewEngine = s.other(&otherEngine{takesBack: func(string) error {
		asked++
		return &store.DataError{Table: "log_visit", Column: "user_id", Reason: "too long"}
	}})
	summary := s.run(t, o)
	if found := s.letters(t); asked != 1 || summary.Failed != 1 || len(found) != 1 {
		t.Errorf("asked %d times, %d failed, %d letters; want 1 of each", asked, summary.Failed, len(found))
	}
}

// Of several requests that are refused each becomes a dead letter for its own error.
func TestEachDeadLetterHasItsOwnError(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "bad 1", "b", "bad 2", "c")
	o := s.options()
	o.NewEngine = s.other(&otherEngine{breaks: func(titles []string) error {
		for _, title := range slices.Backward(titles) { // the last is met first
			if strings.HasPrefix(title, "bad") {
				return &store.DataError{Table: "log_visit", Column: title, Reason: "wrong"}
			}
		}
		return nil
	}})
	s.run(t, o)
	same(t, s.titles(t), "a", "b", "c")
	var got []string
	for _, letter := range s.letters(t) {
		got = append(got, fmt.Sprintf("%d %s", letter.Offset, letter.Error))
	}
	same(t, got, "1 log_visit.bad 1: wrong", "3 log_visit.bad 2: wrong")
}

// An engine that takes back what the database refuses, and goes on, leaves the judgement to the pipeline: a rule that
// refuses every request is at fault itself.
func TestEngineThatTakesBackRequests(t *testing.T) {
	rule := &mysql.MySQLError{Number: 4025, Message: "CONSTRAINT failed"}
	for _, c := range []struct {
		name    string
		pushed  []string
		written []string
		letters int
		err     error
	}{
		{"one of several", []string{"a", "bad", "b"}, []string{"a", "b"}, 1, nil},
		{
			"all of a batch, not of the queue",
			[]string{"bad 1", "bad 2", "bad 3", "bad 4", "bad 5", "a"},
			[]string{"a"},
			5, nil,
		},
		{"all", []string{"bad 1", "bad 2"}, nil, 0, replay.ErrAllRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t))
			s.push(t, c.pushed...)
			o := s.options()
			o.NewEngine = s.other(&otherEngine{takesBack: func(title string) error {
				if strings.HasPrefix(title, "bad") {
					return rule
				}
				return nil
			}})
			_, err := replay.Run(t.Context(), nil, o)
			if !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
			same(t, s.titles(t), c.written...)
			found := s.letters(t)
			if len(found) != c.letters {
				t.Errorf("%d letters, want %d: %+v", len(found), c.letters, found)
			}
			for _, letter := range found {
				if letter.Reason != letters.BadData {
					t.Errorf("reason %q, want %q", letter.Reason, letters.BadData)
				}
			}
		})
	}
}
